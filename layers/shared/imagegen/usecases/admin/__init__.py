"""What operators read and change. Every change is in the trail before it is made."""
