"""What those who run the machine see of the office: health, numbers, a log. Never content, never who said what."""
