// Node's verifiers of Standard Webhooks, over one delivery: DELIVERY is a file with its headers and its body.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import OpenAI from 'openai'
import { validateWebhook } from 'replicate'
import { Webhook } from 'standardwebhooks'

const { SECRET, STRANGERS } = process.env
const { headers, body, prompt } = JSON.parse(readFileSync(process.env.DELIVERY, 'utf8'))
const changed = body.replace('succeeded', 'failed')

const verifiers = {
  standardwebhooks: async (text, secret) => new Webhook(secret).verify(text, headers),
  openai: (text, secret) => new OpenAI({ apiKey: 'none' }).webhooks.unwrap(text, headers, secret),
  replicate: async (text, secret) => {
    const taken = await validateWebhook({ headers, body: text }, secret)
    if (!taken) throw new Error('replicate says no')
    return JSON.parse(text)
  },
}

for (const [name, verify] of Object.entries(verifiers)) {
  test(`${name} takes it`, async () => {
    const told = await verify(body, SECRET)
    assert.equal(told.type, 'generation.succeeded')
    assert.equal(told.data.plan.prompt, prompt)
  })

  test(`${name} refuses what was changed or is another's`, async () => {
    await assert.rejects(async () => verify(changed, SECRET))
    await assert.rejects(async () => verify(body, STRANGERS))
  })
}
