"""OneNumber: all of a user's telephones ring for his one number, in the order of his profile (`one_number`)."""
