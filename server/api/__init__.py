"""The HTTP door: administration, licences, calls, decisions and voicemails as JSON over aiohttp."""
