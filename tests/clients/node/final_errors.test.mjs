// What each package does when a job ended without a picture: it says so, and asks for no other. One job each, by prompt.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { InferenceClient } from '@huggingface/inference'
import { generateImage } from 'ai'
import OpenAI from 'openai'
import Replicate from 'replicate'

const { DARKROOM_URL: url, ENDS } = process.env
const baseURL = `${url}/v1`
const apiKey = 'KEY'
const openai = new OpenAI({ apiKey, baseURL })
const huggingface = new InferenceClient(apiKey, { endpointUrl: `${url}/hf/models/tiny` })
const replicate = new Replicate({ auth: apiKey, baseUrl: `${url}/replicate/v1` })
const aiSdk = createOpenAI({ apiKey, baseURL }).image('tiny')
const compatible = createOpenAICompatible({ name: 'darkroom', apiKey, baseURL }).imageModel('tiny')

for (const end of ENDS.split(' ')) {
  test(`openai: ${end}`, () =>
    assert.rejects(openai.images.generate({ prompt: end }), (error) => {
      assert.deepEqual([error.constructor, error.code], [OpenAI.UnprocessableEntityError, end])
      return true
    }))

  test(`@ai-sdk/openai: ${end}`, () => assert.rejects(generateImage({ model: aiSdk, prompt: end })))

  test(`@ai-sdk/openai-compatible: ${end}`, () => assert.rejects(generateImage({ model: compatible, prompt: end })))

  test(`@huggingface/inference: ${end}`, () => assert.rejects(huggingface.textToImage({ inputs: end })))

  test(`replicate: ${end}`, async () => {
    const running = replicate.run('darkroom/tiny', { input: { prompt: end } })
    if (end === 'canceled') assert.equal(await running, null, 'the package says nothing of it')
    else await assert.rejects(running, new RegExp(end))
  })
}
