"""What the outside relies on, written for programs: schemas of events and outputs, the AsyncAPI document."""
