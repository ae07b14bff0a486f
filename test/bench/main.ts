/** `npm run bench [-- NAME… --json FILE --scale 0.01 --growth --write --profile NAME]`: measures a node from outside. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFaiss, HOW_TO_GET_FAISS, isFaissThere } from './faiss.ts'
import { createBridge } from './figures/bridge.ts'
import { firstSync } from './figures/first-sync.ts'
import { createGoverned } from './figures/governance.ts'
import { leavesOf, readJournal } from './figures/journal.ts'
import { auditRss, createLogs, logAudit, logIntegrate } from './figures/log.ts'
import { lookupBatch, lookupSingle } from './figures/lookup.ts'
import { exactBytes, matchExact, matchPdq, matchPdqFaiss } from './figures/match.ts'
import { mtlsOverhead } from './figures/mtls.ts'
import { oprfClient, oprfEvaluate } from './figures/oprf.ts'
import { createQueues } from './figures/review.ts'
import { submitSingle, submitWriters } from './figures/single.ts'
import { load, STREAM } from './figures/stream.ts'
import { publishedOf, submitSustained } from './figures/sustained.ts'
import { fullSync, syncMemory } from './figures/sync.ts'
import { feedTail } from './figures/tail.ts'
import { taxiiPage } from './figures/taxii.ts'
import { matchLiterals, matchRegex } from './figures/text.ts'
import { webhookDelivery } from './figures/webhook.ts'
import { logAuditWhole } from './figures/whole-audit.ts'
import { type Growth, growthLines, growthOf, type Point } from './growth.ts'
import { keep, SIGNALS } from './kept.ts'
import { RAISED } from './limits.ts'
import { machineOf } from './machine.ts'
import { compare, createMeter, type Row, rowOf, type Spec } from './measure.ts'
import { type Options, readOptions } from './options.ts'
import { topFunctions } from './profile.ts'
import { jsonOf, tableOf } from './report.ts'
import { ROOT } from './root.ts'
import { COUNTED, countStatements, topStatements } from './statements.ts'
import { openWorld, type World } from './world.ts'

const RSS = 'feed.full-sync.rss'
const RSS_TARGET_MB = 300
const JOURNAL = 'read.journal'
const AUDIT = 'log.audit'
const WHOLE = 'log.audit.whole'
const SUSTAINED = 'submit.sustained'
/** Of a full run. */
const SUSTAINED_SECONDS = 600
const EXACT = 'match.exact'
const FAISS = 'match.pdq.faiss'
/** Rounds of a profile: only the measured side runs. */
const PROFILED = 3

/** Of the signals, where loading is looked at; the very first are a warm-up. */
const GROWN = [0.1, 0.4, 1]

/** Numbers of signals that no load gave, for what is submitted one by one. */
const BEYOND = 10_000_000
/** Of the signals, where figures without a node are looked at too. */
const SMALLER = [0.001, 0.01, 0.1]

interface Asked {
  world: World
  signals: number
  seconds: number
  count: number
}

interface Figure {
  stored: boolean
  grows: boolean
  /** Needs no node, so that it can be measured at any size. */
  alone?: boolean
  spec(asked: Asked): Spec
}

/** In the order in which they run; `stored` need the signals, and `grows` is measured on the way there too. */
const FIGURES: Readonly<Record<string, Figure>> = {
  'feed.full-sync': { stored: true, grows: true, spec: ({ world }) => fullSync(world) },
  [RSS]: { stored: true, grows: false, spec: ({ world }) => syncMemory(world) },
  'lookup.single': { stored: true, grows: true, spec: lookupSingle },
  'lookup.batch': { stored: true, grows: true, spec: lookupBatch },
  'taxii.page': { stored: true, grows: false, spec: ({ world }) => taxiiPage(world) },
  'bridge.first-sync': { stored: true, grows: false, spec: ({ world }) => firstSync(world) },
  'mtls.overhead': { stored: false, grows: false, spec: mtlsOverhead },
  'feed.tail': {
    stored: false,
    grows: false,
    spec: ({ world, count }) => feedTail({ world, count: Math.ceil(count / 200), from: BEYOND }),
  },
  'webhook.delivery': {
    stored: false,
    grows: false,
    spec: ({ world, count }) => webhookDelivery({ world, count: Math.ceil(count / 20), from: 5 * BEYOND }),
  },
  // Before any reference that writes past the log.
  [WHOLE]: {
    stored: false,
    grows: false,
    spec: ({ world, signals }) => logAuditWhole({ world, entries: signals, from: 7 * BEYOND, rss: wholeRss }),
  },
  'submit.single': {
    stored: false,
    grows: false,
    spec: ({ world, count }) => submitSingle({ world, count, from: 2 * BEYOND }),
  },
  'submit.writers': {
    stored: false,
    grows: false,
    spec: ({ world, count }) => submitWriters({ world, count, from: 6 * BEYOND }),
  },
  'console.queue': { stored: true, grows: false, spec: (asked) => queues.queue({ ...asked, from: 4 * BEYOND }) },
  'console.decide': { stored: true, grows: false, spec: (asked) => queues.decide({ ...asked, from: 4 * BEYOND }) },
  'oprf.evaluate': { stored: false, grows: false, spec: oprfEvaluate },
  'oprf.client': { stored: false, grows: false, spec: oprfClient },
  [EXACT]: { stored: false, grows: false, alone: true, spec: matchExact },
  'match.pdq': { stored: false, grows: false, alone: true, spec: (asked) => matchPdq({ ...asked, set: 'random' }) },
  'match.pdq.clustered': { stored: false, grows: false, spec: (asked) => matchPdq({ ...asked, set: 'clustered' }) },
  'match.pdq.skewed': { stored: false, grows: false, spec: (asked) => matchPdq({ ...asked, set: 'skewed' }) },
  [FAISS]: { stored: false, grows: false, spec: (asked) => matchPdqFaiss({ ...asked, faiss }) },
  'match.literals': { stored: false, grows: false, spec: matchLiterals },
  'match.regex': { stored: false, grows: false, spec: matchRegex },
  'bridge.lookup': { stored: false, grows: false, spec: (asked) => bridge.lookup(asked) },
  'log.integrate': { stored: false, grows: false, spec: (asked) => logIntegrate({ ...asked, logs }) },
  [AUDIT]: {
    stored: false,
    grows: false,
    spec: ({ world, signals }) => logAudit({ world, logs, entries: signals, rss }),
  },
  [SUSTAINED]: {
    stored: false,
    grows: false,
    spec: ({ world, signals }) =>
      submitSustained({ world, seconds: (SUSTAINED_SECONDS * signals) / SIGNALS, from: 3 * BEYOND, published }),
  },
  'audit.explore': { stored: false, grows: false, spec: (asked) => governed.explore(asked) },
  'governance.matrix': { stored: false, grows: false, spec: (asked) => governed.matrix(asked) },
  'report.year': { stored: false, grows: false, spec: (asked) => governed.report(asked) },
  // Last: it admits participants whom nothing else should find.
  [JOURNAL]: { stored: false, grows: false, spec: (asked) => readJournal({ ...asked, leaves }) },
}

/** Entries a second in each round of the journal. */
const leaves: number[] = []
/** Milliseconds to the published checkpoint, in each round. */
const published: number[] = []
/** MB of each audit, at the most. */
const rss: number[] = []
const wholeRss: number[] = []
const logs = createLogs()
const faiss = createFaiss()
const bridge = createBridge()
const queues = createQueues()
const governed = createGoverned((text) => say(text))

const NAMES = [STREAM.name, ...Object.keys(FIGURES)]
const options = optionsIn(process.argv.slice(2))
const began = performance.now()
const say = (text: string): void => console.error(`${elapsed().padStart(7)}  ${text}`)
const elapsed = (): string => `${((performance.now() - began) / 1_000).toFixed(1)} s`
const wanted = (name: string): boolean => options.names.length === 0 || options.names.includes(name)

function optionsIn(args: readonly string[]): Options {
  try {
    return readOptions(args, NAMES)
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(2)
  }
}

async function run(here: World): Promise<void> {
  for (const line of RAISED) say(`limit raised: ${line}`)
  const signals = Math.round(SIGNALS * options.scale)
  const asked: Asked = {
    ...{ world: here, signals },
    seconds: options.scale < 0.1 ? 2 : 5,
    count: Math.max(1_000, Math.round(12_000 * options.scale)),
  }
  const names = Object.keys(FIGURES).filter(wanted)
  const points: Point[] = []
  const rows: Row[] = []
  if (wanted(STREAM.name) || names.some((name) => FIGURES[name]?.stored)) {
    const grown = async (loaded: number, value: number, ratio: number | null): Promise<void> => {
      if (GROWN.some((share) => Math.round(signals * share) === loaded))
        points.push({ name: STREAM.name, unit: STREAM.unit, signals: loaded, value, ratio })
      if (!options.growth || loaded > signals * 0.11) return
      for (const name of names.filter((one) => FIGURES[one]?.grows)) {
        const row = await figureOf(name, { ...asked, signals: loaded, seconds: Math.min(3, asked.seconds) }, 3)
        points.push({ name, unit: row.unit, signals: loaded, value: row.value, ratio: row.ratio })
      }
    }
    const profiled = options.profile === STREAM.name ? await startProfile() : undefined
    const compared = wanted(STREAM.name) && profiled === undefined
    const row = await load({ ...{ world: here, signals, compared }, onRound: say, onLoaded: grown })
    await profiled?.()
    if (wanted(STREAM.name)) rows.push(row)
  }
  for (const name of names) {
    if (name === FAISS && !isFaissThere()) {
      say(HOW_TO_GET_FAISS)
      continue
    }
    const smaller = options.growth && FIGURES[name]?.alone === true ? SMALLER : []
    for (const size of smaller.map((share) => Math.ceil(signals * share))) {
      const { unit, value, ratio } = await figureOf(name, { ...asked, signals: size }, 3)
      points.push({ name, unit, signals: size, value, ratio })
    }
    const row = await figureOf(name, asked)
    rows.push(name === RSS ? rssOf(row) : row)
    if (name === AUDIT) rows.push(auditRss(row, rss))
    if (name === WHOLE) rows.push(auditRss(row, wholeRss))
    if (name === EXACT) rows.push(exactBytes(row, signals))
    if (name === SUSTAINED) rows.push(publishedOf(row, published))
    if (name === JOURNAL) rows.push(leavesOf(row, leaves))
    if (FIGURES[name]?.grows || FIGURES[name]?.alone)
      points.push({ name, unit: row.unit, signals, value: row.value, ratio: row.ratio })
  }
  // Under the profiler and without references, figures say nothing.
  if (options.profile === undefined) report(rows, options.growth ? growthOf(points) : [])
}

/** On a node that was just started: neither memory nor caches of an earlier figure. */
async function figureOf(name: string, asked: Asked, rounds?: number): Promise<Row> {
  await asked.world.restart()
  const figure = FIGURES[name]
  if (figure === undefined) throw new RangeError(name)
  const whole = figure.spec(asked)
  const spec = rounds === undefined ? whole : { ...whole, rounds }
  if (options.profile !== name) return compare(asked.world, spec, say)
  const { reference: _, ...alone } = spec
  const warm = createMeter(asked.world)
  await spec.measured(warm.timed)
  const stop = await startProfile()
  const row = await compare(asked.world, { ...alone, warmups: 0, rounds: PROFILED }, say)
  await stop()
  return row
}

async function startProfile(): Promise<() => Promise<void>> {
  await countStatements(world.db)
  await world.node().startProfile()
  return async () => {
    const statements = await topStatements(world.db)
    const path = join(mkdtempSync(join(tmpdir(), 'aldis-profile-')), `${options.profile}.cpuprofile`)
    await world.node().stopProfile(path)
    console.log([`self time on the node's main thread; ${path}`, ...topFunctions(path, ROOT)].join('\n'))
    console.log(['the database: share, calls, ms of executing and of planning', ...statements].join('\n'))
  }
}

const rssOf = ({ cpu }: Row): Row =>
  rowOf(
    {
      name: RSS,
      what: 'largest resident memory of the node while it answers full syncs',
      ...{ unit: 'MB', target: RSS_TARGET_MB, less: true },
    },
    { values: [cpu.measured.peak / 1e6], references: [], measured: cpu.measured, reference: cpu.measured },
  )

function report(rows: readonly Row[], growth: readonly Growth[]): void {
  console.log([tableOf(rows), ...growthLines(growth)].join('\n'))
  if (options.json !== undefined) writeFileSync(options.json, jsonOf(rows, growth))
  if (!options.write) return
  const date = new Date().toISOString().slice(0, 10)
  keep({ rows, growth, machine: machineOf(world.postgres), date }, NAMES)
}

const world = await openWorld(options.profile === undefined ? {} : COUNTED)
const stopped = (signal: NodeJS.Signals): void => {
  say(`${signal}: cleaning up`)
  void world.end().finally(() => process.exit(1))
}
process.once('SIGINT', stopped).once('SIGTERM', stopped)
try {
  await run(world)
} finally {
  faiss.end()
  bridge.end()
  await logs.end()
  await governed.end()
  await world.end()
}
