"""What a game is: frozen data, validated once, at the door."""
