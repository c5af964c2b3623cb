"""How a tablet and the office exchange what they hold: what goes next, one client, one worker."""
