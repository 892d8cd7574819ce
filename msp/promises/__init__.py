"""Terms as people read them: in words, as a picture of a week, and with the holidays of a country."""
