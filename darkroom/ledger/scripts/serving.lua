-- ARGV: none.
-- Answers {model, workers that serve it} of every model that somebody serves.
redis.call('ZREMRANGEBYSCORE', key('serving'), '-inf', now)
local models = {}
for _, model in ipairs(redis.call('SMEMBERS', key('served'))) do models[model] = true end
for _, member in ipairs(redis.call('ZRANGE', key('serving'), 0, -1)) do
  models[string.match(member, '^[^ ]*')] = true
end

local answer = {}
for model in pairs(models) do
  local workers = workers_of(model)
  if workers > 0 then answer[#answer + 1] = {model, workers} else redis.call('SREM', key('served'), model) end
end
return answer
