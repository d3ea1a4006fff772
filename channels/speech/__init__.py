"""What is said of numbers, digits, dates and lengths: values without a language, and the grammar of each language."""
