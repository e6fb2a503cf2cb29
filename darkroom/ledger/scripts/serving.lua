-- Answers the name of a model once for each worker that serves it.
-- ARGV: none.
redis.call('ZREMRANGEBYSCORE', key('serving'), '-inf', now)
local models = {}
for _, member in ipairs(redis.call('ZRANGE', key('serving'), 0, -1)) do
  models[#models + 1] = string.match(member, '^[^ ]*')
end
return models
