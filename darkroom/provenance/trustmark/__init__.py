"""What TrustMark's networks carry: 100 bits that its own readers understand."""
