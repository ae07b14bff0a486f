import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { admitPlatform, makeProgramme, publishEpoch } from './people.ts'
import { rawLines, writeRaw } from './raw.ts'
import type { RunningNode } from './run.ts'
import { PLATFORMS, type Platform, type Scene } from './scene.ts'

type Line = Record<string, unknown>

const AUDIENCE = 'apple and banana'
const NEVER = '01890000-0000-7000-8000-000000000000'

/** Keys, CA, log and programme, and then the three platforms with certificates of their own. */
export async function admission(scene: Scene, start: () => Promise<RunningNode>): Promise<RunningNode> {
  const { stage, ports } = scene
  stage.chapter('A node with its programme: two administrators and one who governs')
  const people = await makeProgramme(scene)
  const node = await start()
  stage.show(`the node serves https://127.0.0.1:${ports.partner} to whoever has a certificate, and nobody else`)

  stage.chapter('Three platforms are admitted; each makes its keys at home')
  await publishEpoch(scene, people)
  for (const platform of PLATFORMS) await admitPlatform(scene, people, platform)
  const found = await stage.aldis('apple', ['doctor'], {
    env: scene.at('apple'),
    text: ({ check, says }) => `${String(check)}: ${String(says)}`,
  })
  stage.proves(
    'apple reaches the node over mutual TLS, and the node knows it by its key',
    found.lines.every(({ ok }) => ok === true),
  )
  return node
}

/** What came to an end since an earlier run: the story tells of what happens in it. */
export async function catchingUp({ stage, at }: Scene): Promise<void> {
  for (const who of ['banana', 'cherry'] as const) await stage.aldis(who, ['sync'], { env: at(who), quiet: true })
}

export interface Shared {
  /** Ids of what Apple shared, by type. */
  signals: Map<string, string>
  raw: Line[]
}

/** Apple hashes, signs and shares what it found, with Banana alone. */
export async function sharing(scene: Scene, run: string): Promise<Shared> {
  const { stage } = scene
  const env = scene.at('apple')
  stage.chapter('Apple shares what it found, with Banana alone')
  const { lines } = await stage.aldis('apple', ['audiences'], { env, quiet: true })
  const audiences = (lines[0]?.['audiences'] ?? []) as { label: string }[]
  if (!audiences.some(({ label }) => label === AUDIENCE)) {
    await stage.aldis('apple', ['audience', AUDIENCE, '--with', 'banana'], {
      env,
      text: ({ members }) => `members: ${String(members)}`,
    })
  }
  const raw = rawLines(run)
  const path = writeRaw(join(scene.dir, 'apple-raw'), `${run}.ndjson`, raw)
  stage.show(`${raw.length} raw lines in a file that stays at Apple; the last one is a mistake`)
  const collected = ['--region', 'IE', '--legal-basis', 'terms_of_service', '--surface', 'public']
  const how = ['--audience', AUDIENCE, '--basis', 'human_reviewed', ...collected]
  // 8: some lines were refused, and here one has to be.
  const done = await stage.aldis('apple', ['submit', path, ...how], {
    ...{ env, code: 8, shown: ['submit', 'found.ndjson', ...how] },
    text: shownItem,
  })
  const signals = new Map(
    done.lines.flatMap((line) =>
      line['outcome'] === 'created' ? [[String(line['type']), String(line['signal'])]] : [],
    ),
  )
  stage.proves('every good line is durable and the bad one is named by its number', signals.size === raw.length - 1)
  const sent = readFileSync(
    join(scene.home('apple'), 'uploads', String(done.lines.at(-1)?.['upload']), 'signed.ndjson'),
    'utf8',
  )
  const leaks = raw
    .flatMap((line) => (typeof line['raw'] === 'string' ? [line['raw']] : []))
    .filter((value) => sent.includes(value))
  stage.proves('no raw link, address, number or name is in what was sent', leaks.length === 0)
  const again = await stage.aldis('apple', ['submit', path, ...how], { env, code: 8, quiet: true })
  stage.proves('sending the file again stores nothing twice', again.lines.at(-1)?.['accepted'] === 0)
  return { signals, raw }
}

/** Banana gets exactly that; for Cherry there is nothing, and nothing tells it otherwise. */
export async function receiving(scene: Scene, { signals, raw }: Shared): Promise<void> {
  const { stage } = scene
  stage.chapter('Banana takes its feed; for Cherry nothing is there')
  const banana = await stage.aldis('banana', ['sync'], { env: scene.at('banana'), text: shownEvent })
  const got = banana.lines.filter(({ type }) => type === 'signal.created').map(({ signal }) => String(signal))
  stage.proves('Banana has exactly what Apple shared with it', sameSet(got, [...signals.values()]))
  stage.proves(
    'each was signed by Apple, and Banana verified it by itself',
    banana.lines.filter(isEvent).every(({ authority }) => authority === 'origin'),
  )

  const cherry = await stage.aldis('cherry', ['sync'], { env: scene.at('cherry') })
  if (cherry.lines.length === 0) stage.show('  nothing new')
  const [some = ''] = signals.values()
  const [hidden, absent] = [await refusedFor(scene, some), await refusedFor(scene, NEVER)]
  stage.proves('Cherry receives nothing', cherry.lines.length === 0)
  stage.proves(
    'to Cherry a signal that it may not see and one that never was are the same',
    hidden !== '' && hidden === absent,
  )

  stage.chapter('Banana asks about what it meets on its own service')
  const known = raw.slice(0, -1).filter(({ type }) => ['email', 'url', 'media_hash'].includes(String(type)))
  const asked = [...known, { type: 'email', raw: 'nobody@elsewhere.example' }]
  const path = writeRaw(join(scene.dir, 'banana-raw'), 'met.ndjson', asked)
  const found = await stage.aldis('banana', ['lookup', path], {
    env: scene.at('banana'),
    shown: ['lookup', 'met.ndjson'],
    text: shownMatch,
  })
  const matches = new Set(found.lines.flatMap((line) => (line['outcome'] === 'match' ? [String(line['signal'])] : [])))
  const wanted = known.map(({ type }) => signals.get(String(type)) ?? '')
  stage.proves(
    'Banana finds what Apple shared and nothing for an address that nobody shared',
    wanted.every((id) => matches.has(id)) && !found.lines.some(({ line }) => line === asked.length),
  )
  const none = await stage.aldis('cherry', ['lookup', path], {
    env: scene.at('cherry'),
    shown: ['lookup', 'met.ndjson'],
    text: shownMatch,
  })
  stage.proves('Cherry asks the same and finds nothing', none.lines.length === 0)
}

/** Apple corrects one signal and takes another back; the order is kept. */
export async function correcting(scene: Scene, { signals }: Shared): Promise<void> {
  const { stage } = scene
  const env = scene.at('apple')
  stage.chapter('Apple corrects one signal and takes another back')
  const [revised = '', withdrawn = ''] = [signals.get('email'), signals.get('url')]
  const text = ({ outcome, revision }: Line): string => `${String(outcome)}, revision ${String(revision)}`
  await stage.aldis('apple', ['revise', revised, '--severity', 'high'], {
    env,
    text,
    shown: ['revise', short(revised), '--severity', 'high'],
  })
  await stage.aldis('apple', ['withdraw', withdrawn, '--reason', 'mistaken'], {
    env,
    text,
    shown: ['withdraw', short(withdrawn), '--reason', 'mistaken'],
  })
  const got = await stage.aldis('banana', ['sync', '--wait', '10', '--acknowledge'], {
    env: scene.at('banana'),
    text: shownEvent,
  })
  const more =
    got.lines.filter(isEvent).length < 2
      ? await stage.aldis('banana', ['sync', '--wait', '10', '--acknowledge'], {
          env: scene.at('banana'),
          text: shownEvent,
        })
      : undefined
  const told = [...got.lines, ...(more?.lines ?? [])]
    .filter(isEvent)
    .map(({ type, signal }) => `${String(type)} ${String(signal)}`)
  stage.proves(
    'Banana is told in the order in which it happened',
    told.join() === `signal.revised ${revised},signal.withdrawn ${withdrawn}`,
  )
}

/** Receipts are fetched while the node runs and checked after it has stopped. */
export async function proving(scene: Scene, node: RunningNode): Promise<void> {
  const { stage } = scene
  stage.chapter('Both hold receipts, and check them with the node stopped')
  for (const who of ['apple', 'banana'] as const) {
    await stage.aldis(who, ['receipts'], {
      env: scene.at(who),
      text: ({ type, path }) => `${String(type)}  ${String(path).split('/').at(-1)}`,
    })
  }
  await node.stop()
  stage.show('the node and its database have stopped')
  for (const who of ['apple', 'banana'] as const) {
    const files = receiptsOf(scene, who)
    const checked = await stage.aldis(who, ['verify', ...files], {
      env: scene.at(who),
      shown: ['verify', 'receipts/*'],
      text: shownVerified,
    })
    stage.proves(
      `all ${files.length} receipts of ${who} verify offline against the checkpoint that the node signed`,
      files.length > 0 && checked.lines.every(({ passed }) => passed === true),
    )
  }
  const [first = ''] = receiptsOf(scene, 'apple')
  const forged = join(scene.dir, 'forged.tlog-proof')
  writeFileSync(forged, readFileSync(first, 'utf8').replace(/^index [0-9]+$/m, 'index 0'))
  // 7: something does not verify.
  await stage.aldis('apple', ['verify', forged], {
    env: scene.at('apple'),
    code: 7,
    shown: ['verify', 'forged.tlog-proof'],
    text: shownVerified,
  })
  stage.proves('a receipt in which one number was changed does not', true)
}

function receiptsOf(scene: Scene, platform: Platform): string[] {
  const dir = join(scene.home(platform), 'receipts')
  mkdirSync(dir, { recursive: true })
  return readdirSync(dir).map((name) => join(dir, name))
}

/** What Cherry is told that asks for a signal by its id; the same for any that it may not see. */
async function refusedFor({ stage, at }: Scene, signal: string): Promise<string> {
  // 4: not found.
  const { stderr } = await stage.aldis('cherry', ['revise', signal, '--severity', 'low'], {
    env: at('cherry'),
    code: 4,
    shown: ['revise', short(signal), '--severity', 'low'],
  })
  const says = stderr.replace(/ \[request [^\]]*\]/, '').trim()
  stage.show(`  ${says}`)
  return says
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set([...a, ...b]).size === a.length
const short = (id: string): string => `${id.slice(0, 8)}…${id.slice(-4)}`

const shownItem = (line: Line): string | undefined => {
  const { outcome, type, signal, reason, line: number } = line
  if (outcome === 'created')
    return `line ${String(number).padStart(2)}  ${String(type).padEnd(16)}${short(String(signal))}`
  return outcome === 'refused' ? `line ${String(number).padStart(2)}  refused here: ${String(reason)}` : undefined
}
/** Of a sealed audience there is but a number of entries. */
const isEvent = ({ signal }: Line): boolean => signal !== undefined
const shownEvent = (line: Line): string | undefined => {
  const { seq, type, signal, source } = line
  return isEvent(line)
    ? `${String(seq).padStart(4)}  ${String(type).padEnd(17)}${short(String(signal))}  signed by ${String(source)}`
    : undefined
}
const shownMatch = ({ outcome, line, item, source }: Line): string | undefined => {
  const { type, category, handling } = (item ?? {}) as Line
  return outcome === 'match'
    ? `line ${String(line)}  ${String(type)}: ${String(category)}, ${String(handling)}, says ${String(source)}`
    : undefined
}
const shownVerified = ({ passed, index, size, fields, steps }: Line): string => {
  const { type } = fields as Line
  const failed = (steps as Line[]).find(({ result }) => result === 'FAIL')
  return passed === true
    ? `PASS  entry ${String(index)} of ${String(size)}  ${String(type)}`
    : `FAIL  ${String(failed?.['step'])}: ${String(failed?.['why'])}`
}
