import { hash } from 'node:crypto'
import { instant } from '../../src/client/derive.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { signSubmission } from '../../src/signals/submission.ts'
import type { Member } from './world.ts'

/** The key epoch of every token here. */
export const EPOCH = 'epoch-1'
const DAY_MS = 86_400_000

/** A match key as a look-up names it. */
export interface Key {
  type: string
  profile: string
  key: string
}

type Kind = { type: string; profile: string; value: (key: string) => string }

const token = (type: string, profile: string): Kind => ({
  type,
  profile: `${profile}@${EPOCH}`,
  value: (key) => `{"profile":"${profile}","kid":"${EPOCH}","token":"${key}"}`,
})
const EMAIL = token('email', 'email/1')
const USERNAME = token('username', 'username/1:birdsong')
const PHONE = token('phone', 'phone/1')
const URL_: Kind = {
  type: 'url',
  profile: 'url/1',
  value: (key) => `{"profile":"url/1","sha256":"${key}","scope":{"host":"exact","path":"exact"}}`,
}
const MEDIA: Kind = {
  type: 'media_hash',
  profile: 'sha256',
  value: (key) => `{"algorithm":"sha256","hash":"${key}"}`,
}
/** Of ten signals. */
const MIX: readonly Kind[] = [EMAIL, USERNAME, URL_, EMAIL, USERNAME, MEDIA, EMAIL, URL_, USERNAME, PHONE]

const kindOf = (n: number): Kind => MIX[n % MIX.length] ?? EMAIL
const digest = (text: string): string => hash('sha256', text)

/** The key of the n-th signal ever made here: nothing has to be kept to look it up. */
export const keyOf = (n: number): Key => {
  const { type, profile } = kindOf(n)
  return { type, profile, key: digest(`fruit ${n}`) }
}

let missed = 0

/** A key that no signal has, and that was not asked for before. */
export function missingKey(): Key {
  missed += 1
  const { type, profile } = kindOf(missed)
  return { type, profile, key: digest(`bird ${missed}`) }
}

/** The n-th signal as its source signs it. */
function itemText(n: number, { audience, now }: { audience: Uuid; now: Date }): string {
  const { type, value } = kindOf(n)
  const observed = instant(new Date(now.getTime() - (n % 600) * 60_000))
  const expires = instant(new Date(now.getTime() + (30 + (n % 50)) * DAY_MS))
  return (
    `{"v":1,"type":"${type}","signal":"${newId(now)}","revision":1,"audience":"${audience}","tlp":"amber","taxonomy":1,` +
    `"category":"grooming","severity":"high","confidence":${50 + (n % 50)},"basis":"human_reviewed",` +
    `"context":{"region":"DE","legal_basis":"terms_of_service","surface":"public"},"handling":"review",` +
    `"observed_at":"${observed}","expires_at":"${expires}","value":${value(digest(`fruit ${n}`))}}`
  )
}

export interface Numbered {
  /** Numbers of the signals: `from` and those after it. */
  from: number
  n: number
  audience: Uuid
}

/** One signed submission of signals by their numbers. */
export async function submissionOf({ uri, node_origin, programme, signing }: Member, { from, n, audience }: Numbered) {
  const now = new Date()
  return signSubmission({
    ...{ typ: 'aldis-signal+jws', iss: uri, aud: node_origin, prg: programme, key: signing, now },
    items: Array.from({ length: n }, (_, i) => itemText(from + i, { audience, now })),
  })
}

/** The same as the lines of a stream. */
export async function linesOf(member: Member, numbered: Numbered): Promise<Buffer> {
  const { jws, items } = await submissionOf(member, numbered)
  const lines = [JSON.stringify({ jws }), ...items.map(({ salt, item }) => JSON.stringify({ salt, item }))]
  return Buffer.from(`${lines.join('\n')}\n`)
}
