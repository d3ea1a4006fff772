"""The embedded database: users, locations, changes and messages, durable before they are acknowledged."""
