"""What every request passes before anybody asks who sends it: each file answers one question about it."""
