"""The live socket of the page: windows of lists, whose latest state a page is sent a few times a second."""
