"""Mails and SMS that leave the house: written when something happens, held in the outbox, carried from there."""
