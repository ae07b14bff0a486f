import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHome } from '../../../client/home.ts'
import { loadConfig } from '../../../config.ts'
import { StartRefused } from '../../../kernel/errors.ts'
import type { Report } from '../../../reports/schema.ts'
import type { Scene } from '../scene.ts'
import { OBSERVER } from './cast.ts'
import { keepPast, keptPast } from './kept.ts'
import { makePast } from './make.ts'
import { type PlanOptions, planPast } from './plan.ts'
import { linesOf, type Summary } from './summary.ts'

/** Decisions of the last hour are still to be looked at in their grace. */
const GRACE_S = '3600'
const DAY_MARKS = 10

/**
 * Gives a demo that has no node yet a past that ends now, and shows what is there; one that has a past is left as it is. One
 * with a node and none is too: a log does not grow at its beginning. Where the past was asked for by name that is refused.
 */
export async function pastStep(scene: Scene, { named, ...asked }: PlanOptions & { named: boolean }): Promise<void> {
  const { stage, dir, admin } = scene
  const kept = keptPast(dir)
  if (kept !== undefined) {
    if (kept.summary === undefined)
      throw new StartRefused(`${dir}: its past was begun and not ended; remove the folder`)
    stage.chapter('The days before, as an earlier run made them')
    tell(scene, kept.summary, kept.days)
    return
  }
  if (existsSync(join(dir, 'node'))) {
    if (named) throw new StartRefused(`${dir}: has a node, and no past is put before it; name another folder by --dir`)
    stage.show(`${dir} has a node without a past and goes on without; --dir names another folder`)
    return
  }
  stage.chapter(`The ${asked.days} days before, at five platforms, on a driven clock`)
  stage.show(`all by the API, under real keys; seed ${asked.seed}`)
  keepPast(dir, asked)
  const plan = planPast(asked)
  const summary = await makePast({
    ...{ dir, plan, now: new Date(), config: loadConfig({ ...admin, REVIEW_GRACE_SECONDS: GRACE_S }) },
    onDay: (day) => {
      if ((day + 1) % DAY_MARKS === 0) stage.show(`day ${day + 1}`)
    },
    whileRunning: async () => {
      await audited(scene)
      await reported(scene, asked.days)
    },
  })
  keepPast(dir, { ...asked, summary })
  tell(scene, summary, asked.days)
}

function tell({ stage, dir }: Scene, summary: Summary, days: number): void {
  for (const line of linesOf(summary, days)) stage.show(line)
  const at = (slug: string): string => `npm run aldis -- --home ${join(dir, slug)}`
  stage.show('while the node runs:')
  stage.show(`  ${at('damson')} cases list`)
  stage.show(`  ${at('damson')} cases figures`)
  stage.show(`  ${at('apple')} dispute list`)
  stage.show(`  ${at(OBSERVER)} log export DIR --records`)
}

/** By who sees no signals: the whole log, from its files alone. */
async function audited({ stage, dir }: Scene): Promise<void> {
  const home = join(dir, OBSERVER)
  const env = { ALDIS_HOME: home }
  const [log, policy] = [join(home, 'log'), join(home, 'policy')]
  writeFileSync(policy, `log ${openHome(home).pinned().vkey.trim()}\nquorum none\n`)
  await stage.aldis(OBSERVER, ['log', 'export', log, '--records'], {
    env,
    shown: ['log', 'export', 'log', '--records'],
  })
  const { lines } = await stage.aldis(OBSERVER, ['audit', '--log', log, '--policy', policy], {
    ...{ env, shown: ['audit', '--log', 'log', '--policy', 'policy'] },
    text: ({ checks }) =>
      (checks as { check: number; result: string }[]).map(({ check, result }) => `${check} ${result}`).join('  '),
  })
  const checks = (lines[0]?.['checks'] ?? []) as { result: string }[]
  stage.proves(
    'an audit of all that happened in these days passes, from the files of the log alone',
    checks.length > 0 && checks.every(({ result }) => result !== 'FAIL'),
  )
}

const DAY_MS = 86_400_000
/** Of a report, what a line of the demo has room for. */
const SHOWN = ['signals.shared', 'signals.withdrawn', 'answers.given', 'disputes.opened', 'reads.recorded']

/** What the programme tells the public of these days, from the same files, and computed again by whoever doubts it. */
async function reported({ stage, dir }: Scene, days: number): Promise<void> {
  const home = join(dir, OBSERVER)
  const env = { ALDIS_HOME: home }
  const [log, file] = [join(home, 'log'), join(home, 'report.json')]
  const day = (ago: number): string => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10)
  const period = ['--from', day(days + 1), '--to', day(0)]
  await stage.aldis(OBSERVER, ['report', 'make', file, '--log', log, ...period], {
    ...{ env, shown: ['report', 'make', 'report.json', '--log', 'log', ...period] },
    text: ({ report }) =>
      (report as Report).figures.flatMap(({ id, value }) => (SHOWN.includes(id) ? [`${id} ${value}`] : [])).join('  '),
  })
  const { lines } = await stage.aldis(OBSERVER, ['report', 'verify', file, '--log', log], {
    ...{ env, shown: ['report', 'verify', 'report.json', '--log', 'log'] },
    text: ({ result }) => String(result),
  })
  stage.proves(
    'a transparency report of these days is what the log makes it, to the digit',
    lines[0]?.['result'] === 'PASS',
  )
}
