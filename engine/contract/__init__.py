"""The contract for programs: the schemas of events and outputs, and the AsyncAPI document."""
