-- What each model has to do.
-- ARGV: none.
-- Answers {model, jobs in line, ms they are expected to take, ms that running ones are, ms since the oldest in line came}
-- of every model with any.
local loads = {}

local function load(model)
  loads[model] = loads[model] or {waiting = 0, queued = 0, running = 0}
  return loads[model]
end

local function each(hash, step)
  local pairs_of = redis.call('HGETALL', key(hash))
  for i = 1, #pairs_of, 2 do step(pairs_of[i], tonumber(pairs_of[i + 1])) end
end

each('waiting', function(model, jobs) load(model).waiting = jobs end)
each('running', function(model, ms) load(model).running = ms end)
each('backlog', function(desk, ms)
  local of = load(string.match(desk, '^[^:]*:(.*)$'))
  of.queued = of.queued + ms
end)

local answer = {}
for model, of in pairs(loads) do
  local first = redis.call('ZRANGE', key('since', model), 0, 0, 'WITHSCORES')
  local age = first[1] and math.max(0, now - tonumber(first[2])) or 0
  answer[#answer + 1] = {model, of.waiting, of.queued, of.running, age}
end
return answer
