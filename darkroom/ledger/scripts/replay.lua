-- ARGV: digest of an idempotency key, body hash
-- Answers as submit.lua does when the key was used before, or nothing.
return replay(ARGV[1], ARGV[2])
