-- Take one from each of these allowances, or from none: the twin of darkroom/ledger/allowances.py.
-- Answers 0, or in how many milliseconds there will be one.
-- ARGV: digest of a name, milliseconds a step, most at once; and so on.
local later, wait = {}, 0
for i = 1, #ARGV, 3 do
  local name, each = key('allowance', ARGV[i]), tonumber(ARGV[i + 1])
  local full_at = math.max(tonumber(redis.call('GET', name) or now), now) + each
  later[#later + 1] = {name, full_at}
  wait = math.max(wait, full_at - now - each * tonumber(ARGV[i + 2]))
end
if wait == 0 then
  for _, entry in ipairs(later) do
    redis.call('SET', entry[1], string.format('%d', entry[2]), 'PX', entry[2] - now)
  end
end
return wait
