-- ARGV: id...
-- Answers for each what a waiting job may expect, or nothing for one that does not wait.
local told = {}
for i, id in ipairs(ARGV) do
  local job = load_job(id)
  told[i] = job and outlook_of(job) or {}
end
return told
