import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readBytesIfThere } from '../../client/files.ts'
import { placeOf } from '../../db/embedded-place.ts'
import { tokenInput } from '../../identifiers/token.ts'
import { sha256 } from '../../kernel/sha256.ts'
import { writeRaw } from './raw.ts'
import type { Scene } from './scene.ts'

type Line = Record<string, unknown>

const AUDIENCE = 'everybody, sealed'
/** Ten thousand numbers of one exchange; those of 0100 to 0199 are fictitious (NANP). */
const EXCHANGE = '+1201555'
const NUMBERS = 10_000
const SHARED = `${EXCHANGE}0147`
/** Which nobody shared. */
const ASKED = `${EXCHANGE}0188`
/** For what loops of the node bring within seconds. */
const WITHIN_MS = 60_000
const WAIT_MS = 500
const COMMON = [
  '--region',
  'IE',
  '--legal-basis',
  'terms_of_service',
  '--surface',
  'public',
  '--basis',
  'human_reviewed',
]

/** A phone number that was only hashed is guessed at once; the token that Apple shares is not, without the key. */
export async function guessing(scene: Scene): Promise<void> {
  const { stage } = scene
  const env = scene.at('apple')
  stage.chapter('A phone number is shared, and somebody who stole the list guesses')
  const { lines } = await stage.aldis('apple', ['audiences'], { env, quiet: true })
  const audiences = (lines[0]?.['audiences'] ?? []) as { label: string }[]
  if (!audiences.some(({ label }) => label === AUDIENCE)) {
    const made = ['audience', AUDIENCE, '--with', 'banana', 'cherry', '--mode', 'sealed']
    await stage.aldis('apple', made, { env, text: ({ members }) => `members: ${String(members)}` })
  }
  const line = { type: 'phone', raw: SHARED, category: 'sextortion_financial' }
  const path = writeRaw(join(scene.dir, 'apple-raw'), 'number.ndjson', [line])
  const sent = await stage.aldis('apple', ['submit', path, '--audience', AUDIENCE, ...COMMON], {
    ...{ env, shown: ['submit', 'number.ndjson', '--audience', AUDIENCE] },
    text: ({ outcome, type }) =>
      outcome === 'created' ? `${String(type)} shared as a token, in a sealed audience` : undefined,
  })
  const upload = String(sent.lines.at(-1)?.['upload'])
  const { profile, token } = tokenIn(
    readFileSync(join(scene.home('apple'), 'uploads', upload, 'signed.ndjson'), 'utf8'),
  )

  const plain = guess(sha256(SHARED).toString('hex'), (number) => [sha256(number)])
  stage.show(`SHA-256 of the number: ${plain.found ?? 'not found'} after ${plain.guesses} guesses, ${plain.ms} ms`)
  stage.proves('a plain hash of a phone number falls to whoever tries the numbers', plain.found === SHARED)
  const keyed = guess(token, (number) => [sha256(number), sha256(tokenInput(profile, number))])
  stage.show(`token of the number:   ${keyed.found ?? 'nothing found'} after ${keyed.guesses} guesses`)
  stage.proves(
    'the token that Apple shared does not, without the key that the node alone holds',
    keyed.found === undefined,
  )
}

/** Cherry finds what it holds, in both private ways; the node records how many, and not which. */
export async function askingPrivately(scene: Scene): Promise<void> {
  const { stage } = scene
  const env = scene.at('cherry')
  stage.chapter('Cherry finds the number, and the node does not learn what Cherry asked for')
  const asked = [SHARED, ASKED].map((raw) => ({ type: 'phone', raw }))
  const path = writeRaw(join(scene.dir, 'cherry-raw'), 'numbers.ndjson', asked)
  await stage.aldis('cherry', ['sync', '--wait', '10'], { env, shown: ['sync'] })
  for (const how of ['--private', '--buckets']) {
    // Buckets are made anew once the audience has grown: before, one finds what was in them then.
    if (how === '--buckets') await until(scene, ['lookup', how, path], found)
    const { lines } = await stage.aldis('cherry', ['lookup', how, path], {
      ...{ env, shown: ['lookup', how, 'numbers.ndjson'] },
      text: ({ outcome, line, source }) =>
        outcome === 'match' ? `line ${String(line)}  match, signed by ${String(source)}` : undefined,
    })
    const matches = lines.filter(found)
    const claim = how === '--private' ? 'in its own mirror' : 'by a bucket that many keys share'
    stage.proves(
      `Cherry finds the shared number ${claim}, and nothing for the other`,
      matches.length > 0 && matches.every(({ line }) => line === 1),
    )
  }
  // Evaluations are counted together for some seconds before they are an entry.
  await until(scene, ['history'], isEvaluation)
  const history = await stage.aldis('cherry', ['history'], { env, text: shownEvaluation })
  const evaluated = history.lines.filter(isEvaluation)
  const told = new Set(evaluated.flatMap(({ fields }) => Object.keys(fields as Line)))
  stage.proves(
    'what the log holds of it is how many elements were evaluated, under which key, and why',
    evaluated.length > 0 && [...told].every((name) => EVALUATION.has(name)),
  )
  const data = scene.admin['DATA_DIR'] ?? ''
  const { base } = await placeOf(join(data, 'postgres'))
  const searched = search([...new Set([data, base])], ASKED.slice(1))
  const size = `${searched.files} files, ${(searched.bytes / 1e6).toFixed(0)} MB`
  stage.show(`the node's folders, its database among them: ${size} searched for the number`)
  stage.proves(
    'the number that Cherry asked for is nowhere in what the node keeps',
    searched.files > 0 && !searched.found,
  )
}

const found = ({ outcome }: Line): boolean => outcome === 'match'

const isEvaluation = ({ kind }: Line): boolean => kind === 'lookup.evaluated'

/** Asks until the answer has such a line; what is claimed of it afterwards says if it never had. */
async function until({ stage, at }: Scene, command: string[], holds: (line: Line) => boolean): Promise<void> {
  for (const end = performance.now() + WITHIN_MS; performance.now() < end; ) {
    const { lines } = await stage.aldis('cherry', command, { env: at('cherry'), quiet: true })
    if (lines.some(holds)) return
    await delay(WAIT_MS)
  }
}

const EVALUATION = new Set(['type', 'time', 'actor', 'cred', 'req', 'kid', 'n', 'purpose'])

function shownEvaluation({ kind, time, fields }: Line): string | undefined {
  const { kid, n, purpose } = fields as Line
  return kind === 'lookup.evaluated'
    ? `${String(time)}  ${String(kind)}  ${String(n)} elements under ${String(kid)}, ${String(purpose)}`
    : undefined
}

interface Guessed {
  found: string | undefined
  guesses: number
  ms: number
}

/** Tries every number of the exchange. */
function guess(hex: string, hashes: (number: string) => Buffer[]): Guessed {
  const begun = performance.now()
  const ms = (): number => Math.ceil(performance.now() - begun)
  for (let i = 0; i < NUMBERS; i++) {
    const number = `${EXCHANGE}${String(i).padStart(4, '0')}`
    if (hashes(number).some((one) => one.toString('hex') === hex)) return { found: number, guesses: i + 1, ms: ms() }
  }
  return { found: undefined, guesses: NUMBERS, ms: ms() }
}

/** The token in the one signed item of an upload. */
function tokenIn(signed: string): { profile: string; token: string } {
  const items = signed.split('\n').flatMap((line) => stringsIn(line === '' ? undefined : (JSON.parse(line) as unknown)))
  const value = items.map((text) => (JSON.parse(text) as { value: { profile: string; token: string } }).value).at(0)
  if (value === undefined) throw new Error('an upload without item')
  return value
}

/** Texts of items, wherever they stand. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('{') ? [value] : []
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

/** Looks for a text in every file below the folders; what the database is writing at this moment may be gone. */
function search(dirs: readonly string[], text: string): { files: number; bytes: number; found: boolean } {
  const sum = { files: 0, bytes: 0, found: false }
  for (const dir of dirs)
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      const bytes = entry.isFile() ? readBytesIfThere(join(entry.parentPath, entry.name)) : undefined
      if (bytes === undefined) continue
      sum.files += 1
      sum.bytes += bytes.length
      sum.found ||= bytes.includes(text)
    }
  return sum
}
