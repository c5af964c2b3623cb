"""The law in force at the office: the first rules of the file and what the office changed since."""
