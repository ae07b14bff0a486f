import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importCommand } from '../../../src/cli/participant/import.ts'
import { lookupCommand } from '../../../src/cli/participant/lookup.ts'
import type { Session } from '../../../src/cli/participant/session.ts'
import { type RawSource, rawFile, type Signed } from '../../../src/cli/participant/share.ts'
import { submit, submitCommand } from '../../../src/cli/participant/submit.ts'
import type { Client } from '../../../src/client/client.ts'
import { odOf } from '../../../src/client/countersigned.ts'
import { makeSigningKey, openSigningKey } from '../../../src/client/signing-key.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import type { UploadJob } from '../../../src/signals/schema.ts'
import { signSubmission } from '../../../src/signals/submission.ts'
import { aTestNode, type Member, type TestNode } from '../../support/node.ts'

const folder = mkdtempSync(join(tmpdir(), 'aldis-submit-'))
let n: TestNode
let apple: Member
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

type Told = Record<string, unknown>
const COLLECTED = ['--region', 'IE', '--legal-basis', 'terms_of_service', '--surface', 'public']

/** A command as the shell runs it, in this process. */
async function aldis(...line: string[]): Promise<{ code: number; told: Told[] }> {
  const program = new Command('aldis').exitOverride().option('--json').option('--home <dir>')
  for (const add of [importCommand, lookupCommand, submitCommand]) add(program)
  const told: string[] = []
  const write = process.stdout.write
  process.stdout.write = (text: string | Uint8Array): boolean => told.push(String(text)) > 0
  try {
    await program.parseAsync(['--json', '--home', apple.home.dir, ...line], { from: 'user' })
    return { code: Number(process.exitCode ?? 0), told: told.map((one) => JSON.parse(one) as Told) }
  } finally {
    process.stdout.write = write
    process.exitCode = 0
  }
}

const COMMON = {
  ...{ category: 'grooming', severity: 'high', confidence: '80', tlp: 'amber', handling: 'review', basis: 'automated' },
  ...{ region: 'IE', legalBasis: 'terms_of_service', surface: 'public' },
}

/** What is between us and the node: its own client, unless a test has something come in between. */
type Between = (client: Client) => Partial<Client>

/** The same as `aldis submit`, over a connection of the test's choice. */
async function submitted(
  list: string | RawSource,
  { between = () => ({}), change = {} }: { between?: Between; change?: Partial<typeof COMMON> } = {},
): Promise<{ code: number; told: Told[]; warned: string[] }> {
  const { home, client } = apple
  const [told, warned]: [Told[], string[]] = [[], []]
  const output: Session['output'] = {
    ...{
      json: true,
      say: () => {},
      warn: (text) => void warned.push(text),
      data: (value) => void told.push({ ...value }),
    },
    progress: () => ({ at: () => {}, end: () => {} }),
  }
  const session = { home, output, member: home.membership(), client: { ...client, ...between(client) } }
  try {
    await submit(session, typeof list === 'string' ? rawFile(list) : list, { ...COMMON, ...change })
    return { code: Number(process.exitCode ?? 0), told, warned }
  } finally {
    process.exitCode = 0
  }
}

/** Lines of three submissions. */
const MANY = 2_500

let made = 0
/** Links that nobody has shared yet. */
const links = (count: number): object[] =>
  Array.from({ length: count }, () => {
    made += 1
    return { type: 'url', raw: `https://bad-${made}.example/join` }
  })

function fileOf(lines: readonly unknown[]): string {
  made += 1
  const file = join(folder, `raw-${made}.ndjson`)
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return file
}

/** Files that this process has open and that are named so, by proc(5); none where the system does not tell. */
function openFiles(name: string): string[] {
  const dir = '/proc/self/fd'
  const fds = existsSync(dir) ? readdirSync(dir) : []
  return fds
    .map((fd) => (existsSync(join(dir, fd)) ? readlinkSync(join(dir, fd)) : ''))
    .filter((to) => to.includes(name))
}

test('a list that fails while it is signed leaves no file open', async () => {
  const open: string[][] = []
  const list: RawSource = {
    upload: async () => newId(new Date()),
    async *rows() {
      open.push(openFiles('signed.ndjson'))
      yield* []
      throw new Error('the disk is gone')
    },
  }
  await expect(submitted(list)).rejects.toThrow('the disk is gone')
  open.push(openFiles('signed.ndjson'))
  expect(open.map(({ length }) => length)).toEqual(existsSync('/proc/self/fd') ? [1, 0] : [0, 0])
})

describe('a line that is not as it has to be', () => {
  const bad: readonly (readonly [line: unknown, names: string])[] = [
    [{ type: 'phone', raw: 12_025_550_143 }, '`raw`'],
    [{ type: 'account_id', service: 'orchard', raw: 12_345 }, '`raw`'],
    [{ type: 'media_hash', algorithm: 'md5', hash: 7 }, '`hash`'],
    [{ type: 'url', raw: null }, '`raw`'],
    [{ type: ['url'], raw: 'https://a.example/' }, 'member type'],
  ]
  const lines = () => [...links(1), ...bad.map(([line]) => line), ...links(1)]
  const named = bad.map(([, names], i) => ({
    ...{ line: i + 2, outcome: 'refused', reason: expect.stringContaining(names) },
  }))

  test.each([
    ['submit', []],
    ['import', ['--format', 'ndjson']],
  ])('is named by its number, and %s shares the others', async (command, options) => {
    const { code, told } = await aldis(command, fileOf(lines()), ...options, ...COLLECTED)
    expect(told.filter(({ outcome }) => outcome === 'refused')).toEqual(named)
    expect(told.filter(({ outcome }) => outcome === 'created')).toMatchObject([{ line: 1 }, { line: 7 }])
    expect(code).toBe(8)
  })
  test('is named by its number, and lookup asks for the others', async () => {
    const [first] = links(1)
    await aldis('submit', fileOf([first]), ...COLLECTED)
    const asked = fileOf([...bad.map(([line]) => line), first])
    const { code, told } = await aldis('lookup', asked)
    expect(told.map(({ line, outcome }) => [line, outcome]).slice(0, 5)).toEqual(bad.map((_, i) => [i + 1, 'refused']))
    expect(code).toBe(8)
    expect((await aldis('lookup', asked, '--keys')).told.at(-1)).toMatchObject({ line: 6, outcome: 'keys' })
  })
})

describe('a stream that the node ends', () => {
  /** Takes one submission of each request, as a node of small limits would. */
  const small =
    (places: bigint[], taken: number): Between =>
    (client) => ({
      async *upload(upload, lines) {
        places.push(upload.line)
        yield* client.upload(upload, firstOf(lines, taken))
        yield { line: Number(upload.line), status: 413, code: 'too-large', detail: 'go on in another request' }
      },
    })

  test('goes on in another request, as often as it gets any further', async () => {
    const places: bigint[] = []
    const { code, told } = await submitted(fileOf(links(MANY)), { between: small(places, 1_001) })
    expect(places).toEqual([1n, 1_002n, 2_003n])
    expect(told.at(-1)).toMatchObject({ outcome: 'done', items: MANY, accepted: MANY, refused: 0, before: 0 })
    expect(code).toBe(0)
  })
  test('is told by its name where it gets no further', async () => {
    const places: bigint[] = []
    const sent = submitted(fileOf(links(1)), { between: small(places, 0) })
    await expect(sent).rejects.toMatchObject({ code: 'too-large', status: 413 })
    expect(places).toEqual([1n, 1n, 1n, 1n, 1n])
  })
})

describe('an answer that did not arrive', () => {
  /** The node has all of it, and the connection breaks before it says so. */
  const breaking =
    (requests: number, seen: bigint[] = []): Between =>
    (client) => ({
      async *upload(upload, lines) {
        seen.push(upload.line)
        const answer = client.upload(upload, lines)
        if (seen.length > requests) return yield* answer
        // Of the first submission everything but its last line arrives.
        let n = 0
        for await (const line of answer) {
          n += 1
          if (n < 3 && line.first === undefined) yield line
        }
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
      },
    })
  const noted = (): number => {
    const file = join(apple.home.dir, 'events.ndjson')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
  }

  test('is asked for again in the same run, and each item is told once', async () => {
    const [before, seen] = [noted(), [] as bigint[]]
    const { code, told } = await submitted(fileOf(links(3)), { between: breaking(1, seen) })
    expect(seen).toEqual([1n, 1n])
    expect(told.filter(({ outcome }) => outcome === 'created').map(({ line }) => line)).toEqual([1, 2, 3])
    expect(told.at(-1)).toMatchObject({ accepted: 3, refused: 0, before: 0 })
    expect([noted() - before, code]).toEqual([1, 0])
  })
  test('is asked for again by the next run, with what was refused; and by none once it is here', async () => {
    const [before, file] = [noted(), fileOf([...links(2), { ...links(1)[0], category: 'no_such' }])]
    await expect(submitted(file, { between: breaking(9) })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(noted()).toBe(before)

    const second = await submitted(file)
    expect(second.told.at(-1)).toMatchObject({ accepted: 2, refused: 1, before: 0 })
    expect([noted() - before, second.code]).toEqual([1, 8])

    const seen: bigint[] = []
    const third = await submitted(file, { between: breaking(0, seen) })
    expect(third.told).toMatchObject([
      { line: 3, outcome: 'refused', code: expect.any(String) },
      { outcome: 'done', accepted: 0, refused: 1, before: 2 },
    ])
    expect([seen, noted() - before, third.code]).toEqual([[], 1, 8])
  })
  test('and that the node gives no longer is told as such, not as a refusal', async () => {
    const file = fileOf(links(2))
    await expect(submitted(file, { between: breaking(9) })).rejects.toMatchObject({ code: 'ECONNRESET' })
    const stale: Between = () => ({
      async *upload() {
        yield { line: 3, first: 1, status: 422, code: 'submission-stale' }
      },
    })
    const { code, told } = await submitted(file, { between: stale })
    expect(told).toMatchObject([
      { line: 2, outcome: 'unanswered', code: 'submission-stale', items: 2 },
      { outcome: 'done', accepted: 0, refused: 0, before: 0, unanswered: 2 },
    ])
    expect(code).toBe(8)
  })
})

test('a file is signed and sent by one process at a time, and by another one after that', async () => {
  const file = fileOf(links(2))
  const meanwhile: Between = (client) => ({
    async *upload(upload, lines) {
      await expect(submitted(file)).rejects.toMatchObject({ code: 'home-in-use', status: 409 })
      yield* client.upload(upload, lines)
    },
  })
  const { told } = await submitted(file, { between: meanwhile })
  expect(told.at(-1)).toMatchObject({ accepted: 2, refused: 0, before: 0 })
  expect((await submitted(file)).told).toMatchObject([{ accepted: 0, before: 2 }])
})

test('a file of which everything is refused is judged at every run, and each line is named', async () => {
  const file = fileOf(links(2).map((line) => ({ ...line, category: 'no_such' })))
  for (const _ of ['first', 'second']) {
    const { code, told } = await submitted(file)
    expect(told).toMatchObject([
      { line: 1, outcome: 'refused' },
      { line: 2, outcome: 'refused' },
      { outcome: 'done', accepted: 0, refused: 2, before: 0 },
    ])
    expect(code).toBe(8)
  }
})

test('a submission that was refused is sent again without those that were stored', async () => {
  const bad = links(1_000).map((line) => ({ ...line, category: 'no_such' }))
  const file = fileOf([...links(1_000), ...bad, ...links(1)])
  const first = await submitted(file)
  expect(first.told.at(-1)).toMatchObject({ accepted: 1_001, refused: 1_000 })
  let sent = 0
  const counting: Between = (client) => ({
    upload: (upload, lines) =>
      client.upload(
        upload,
        counted(lines, () => (sent += 1)),
      ),
  })
  const second = await submitted(file, { between: counting })
  expect(second.told.at(-1)).toMatchObject({ accepted: 0, refused: 1_000, before: 1_001 })
  expect([sent, second.code]).toEqual([1_001, 8])
})

describe('what was signed too long ago', () => {
  const away: Between = () => ({
    async *upload() {
      yield* []
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    },
  })
  const keptOf = (upload: unknown): { path: string; file: string; signed: Pick<Signed, 'path' | 'submissions'> } => {
    const file = join(apple.home.dir, 'uploads', String(upload), 'signed.json')
    const signed = JSON.parse(readFileSync(file, 'utf8'))
    return { path: signed.path, file, signed }
  }
  /** As if it had been signed eight days ago, all of it, or as it is said; answers the signals. */
  async function aged(upload: unknown, { days = 8, key = apple.home.signingKey() } = {}): Promise<string[]> {
    const { path, file, signed } = keptOf(upload)
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    const firsts = Object.keys(signed.submissions).map(Number)
    const member = apple.home.membership()
    const ids: string[] = []
    const written: string[] = []
    for (const [i, first] of firsts.entries()) {
      const items = lines.slice(first, (firsts[i + 1] ?? lines.length + 1) - 1).map((line) => JSON.parse(line).item)
      ids.push(...items.map((item) => JSON.parse(item).signal))
      const made = await signSubmission({
        ...{ typ: 'aldis-signal+jws', iss: member.uri, aud: member.node_origin, prg: member.programme },
        ...{ items, key, now: new Date(Date.now() - days * 86_400_000) },
      })
      signed.submissions[String(first)] = { payload: made.jws.payload, od: odOf(made.jws) }
      written.push(...[{ jws: made.jws }, ...made.items].map((one) => `${JSON.stringify(one)}\n`))
    }
    writeFileSync(path, written.join(''))
    writeFileSync(file, JSON.stringify(signed))
    return ids
  }
  const createdIn = (told: Told[]): unknown[] =>
    told.filter(({ outcome }) => outcome === 'created').map(({ signal }) => signal)

  test('and was never taken is signed anew for the same signals, and stored once', async () => {
    const file = fileOf(links(1_500))
    await expect(submitted(file, { between: away })).rejects.toMatchObject({ code: 'ECONNRESET' })
    const upload = await rawFile(file).upload((await apple.client.audiences()).audiences[0]?.audience as Uuid)
    const ids = await aged(upload)
    const former = keptOf(upload).path
    const { code, told } = await submitted(file)
    expect([code, told.at(-1)]).toEqual([0, expect.objectContaining({ accepted: 1_500, refused: 0, before: 0 })])
    expect(createdIn(told)).toEqual(ids)
    expect([existsSync(former), existsSync(keptOf(upload).path)]).toEqual([false, true])
    expect((await submitted(file)).told).toMatchObject([{ accepted: 0, before: 1_500 }])
  })
  test('and was refused whole is signed anew; what is stored stays as it was signed', async () => {
    const file = fileOf([...links(1_000), { ...links(1)[0], category: 'no_such' }])
    const first = await submitted(file)
    const { upload } = first.told.at(-1) ?? expect.fail('nothing told')
    await aged(upload)
    const before = keptOf(upload).signed.submissions
    const second = await submitted(file)
    expect(second.told.filter(({ outcome }) => outcome === 'refused')).toEqual([
      expect.not.objectContaining({ code: 'submission-stale' }),
    ])
    expect(second.told.at(-1)).toMatchObject({ accepted: 0, before: 1_000, refused: 1 })
    const { '1': stored, '1002': anew } = keptOf(upload).signed.submissions
    expect([stored, anew]).toEqual([before['1'], expect.not.objectContaining(before['1002'] ?? {})])
  })
  test('or by a former key, as one that was rotated, is signed anew too', async () => {
    const file = fileOf(links(1))
    await expect(submitted(file, { between: away })).rejects.toMatchObject({ code: 'ECONNRESET' })
    const upload = await rawFile(file).upload((await apple.client.audiences()).audiences[0]?.audience as Uuid)
    const ids = await aged(upload, { days: 0, key: openSigningKey(makeSigningKey()) })
    expect(createdIn((await submitted(file)).told)).toEqual(ids)
  })
  test('is left to a job of the node that is under way', async () => {
    const file = fileOf(links(1))
    await expect(submitted(file, { between: away })).rejects.toMatchObject({ code: 'ECONNRESET' })
    const upload = await rawFile(file).upload((await apple.client.audiences()).audiences[0]?.audience as Uuid)
    await aged(upload)
    const before = keptOf(upload).signed
    const job = { upload, state: 'running', received_at: '', bytes: '1', lines: '2', accepted: '0', refused: '0' }
    const running: Between = (client) => ({
      ...away(client),
      uploads: { ...client.uploads, get: async () => ({ next_line: '1', job: job as UploadJob }) },
    })
    await expect(submitted(file, { between: running })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(keptOf(upload).signed).toEqual(before)
  })
})

describe('a file that is sent again with other options', () => {
  const severityOf = async (told: Told[]): Promise<string> => {
    const { item } = await apple.client.own(
      String(told.find(({ outcome }) => outcome === 'created')?.['signal']) as Uuid,
    )
    return JSON.parse(item).severity
  }
  test('is signed anew where nothing arrived', async () => {
    const file = fileOf(links(1))
    const away: Between = () => ({
      async *upload() {
        yield* []
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
      },
    })
    await expect(submitted(file, { between: away })).rejects.toMatchObject({ code: 'ECONNRESET' })
    const { told } = await submitted(file, { change: { severity: 'low' } })
    expect(await severityOf(told)).toBe('low')
  })
  test('is signed anew where all of it was refused', async () => {
    const file = fileOf(links(1))
    expect((await submitted(file, { change: { category: 'no_such' } })).code).toBe(8)
    expect(await submitted(file)).toMatchObject({ code: 0, told: [{ outcome: 'created' }, { accepted: 1, before: 0 }] })
  })
  test('is refused by name where some of it is stored, and goes on with the options of before', async () => {
    const file = fileOf(links(1))
    await submitted(file)
    await expect(submitted(file, { change: { severity: 'low' } })).rejects.toMatchObject({
      ...{ code: 'state-conflict', detail: expect.stringContaining('other options') },
    })
    expect((await submitted(file)).told).toMatchObject([{ outcome: 'done', accepted: 0, before: 1 }])
  })
  test('is as it was where it was signed before its options were kept', async () => {
    const file = fileOf(links(1))
    const [, done] = (await submitted(file)).told
    const path = join(apple.home.dir, 'uploads', String(done?.['upload']), 'signed.json')
    const { options: _, ...signed } = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify(signed))
    expect((await submitted(file, { change: { severity: 'low' } })).told).toMatchObject([{ accepted: 0, before: 1 }])
  })
})

async function* counted(lines: AsyncIterable<string | Buffer>, onLine: () => void): AsyncGenerator<string | Buffer> {
  for await (const line of lines) {
    if (String(line) !== '\n') onLine()
    yield line
  }
}

async function* firstOf<T>(all: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  let n = 0
  for await (const one of all) {
    n += 1
    if (n > count) return
    yield one
  }
}
