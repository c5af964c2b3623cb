"""Elections of NPM members by the Council: call, candidates, eligibility, rounds, protocol, seats taken."""
