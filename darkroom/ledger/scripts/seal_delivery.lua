-- Fix what a message says, once.
-- ARGV: id, body
-- Answers the body it has from now on, or nothing where there is no such delivery.
if redis.call('EXISTS', key('delivery', ARGV[1])) == 0 then return false end
redis.call('HSETNX', key('delivery', ARGV[1]), 'body', ARGV[2])
return redis.call('HGET', key('delivery', ARGV[1]), 'body')
