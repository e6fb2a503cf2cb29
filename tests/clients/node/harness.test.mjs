// The service is there, and so are the packages that the other files of this folder import.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'

const url = process.env.DARKROOM_URL

test('the service answers', async () => {
  const answer = await fetch(`${url}/livez`)
  assert.deepEqual(await answer.json(), { alive: true })
})

test('every package can be found', async () => {
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  const { dependencies } = JSON.parse(await readFile(new URL('../package.json', import.meta.url)))
  for (const name of Object.keys(dependencies)) {
    if (name !== '@redocly/cli') await import(name)
  }
})
