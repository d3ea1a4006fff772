"""What a user is licensed to do, a folder for each feature that works."""
