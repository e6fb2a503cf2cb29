// A picture by OpenAI's own package for Node, which is told another address and nothing else.
//
//     node examples/openai-sdk.mjs       leaves openai.png in the folder you are in
//
// DARKROOM_URL is where the service is; DARKROOM_API_KEY your key, where it wants one. Needs `npm install openai`.
import { writeFile } from 'node:fs/promises'

import OpenAI from 'openai'

const { DARKROOM_URL: url = 'http://127.0.0.1:8000', DARKROOM_API_KEY: key } = process.env
// The package wants some key, also where the service wants none.
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key || 'none' })

const made = await client.images.generate({
  prompt: 'a blue star on a yellow background',
  size: '128x128',
  // What this service takes beyond OpenAI's own fields stands beside them.
  seed: 7,
  num_inference_steps: 20,
})
await writeFile('openai.png', Buffer.from(made.data[0].b64_json, 'base64'))
console.log('openai.png')

try {
  await client.images.generate({ prompt: 'a blue star', model: 'no-such-model' })
} catch (error) {
  if (!(error instanceof OpenAI.NotFoundError)) throw error
  console.log(error.code, error.message)
}
