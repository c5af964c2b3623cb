"""The office: API for tablets, console pages for Council and office, command line for those who run it."""
