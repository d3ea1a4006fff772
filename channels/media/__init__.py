"""The media plane: streams, codecs, tones, prompts and the processes that carry them."""
