"""What an attacker, or bad luck, would send: patterns of legal events that once cost more the more a row held."""
