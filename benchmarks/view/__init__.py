"""`make bench-view`: what the page with the grid shows while thousands of rows change a second, and what it costs."""
