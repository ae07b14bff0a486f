import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { EXIT } from '../exit.ts'
import { wholeOption } from '../whole-option.ts'
import { askingAsTheyDo, hashIn } from './bridging.ts'
import { keptPast } from './past/kept.ts'
import { DAYS_MIN } from './past/plan.ts'
import { meeting } from './personas.ts'
import { askingPrivately, guessing } from './private.ts'
import { type RunningNode, startNode } from './run.ts'
import { openScene, type Scene } from './scene.ts'
import { admission, catchingUp, correcting, proving, receiving, sharing } from './story.ts'

interface Options {
  once?: boolean
  dir: string
  past?: boolean
  seed: string
  days: number
  signals: number
}

export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description(
      'a node and its platforms on this machine: a past to look at, and one exchange from submission to verified receipt',
    )
    .option('--once', 'end the node at the end; exit 0 only if every step held')
    .option('--dir <dir>', 'where keys and data are kept between runs', 'data/demo')
    .option('--past', 'make the days before alone, unless they are there, and end')
    .option('--no-past', 'leave them out')
    .option('--seed <text>', 'of the days before: the same seed, the same story', '1')
    .option('--days <n>', `how many, from ${DAYS_MIN} to 90`, wholeOption(DAYS_MIN, 90), 90)
    .option('--signals <n>', 'how many are shared in them, from 50 to 5000', wholeOption(50, 5_000), 2_000)
    .action(async ({ once, dir, past, ...asked }: Options) => {
      const scene = await openScene(resolve(dir))
      if (past !== false) {
        // A whole node, which the rest of the demo runs as a process of its own.
        const { pastStep } = await import('./past/step.ts')
        await pastStep(scene, { ...asked, named: past === true })
      }
      const failed = past === true ? scene.stage.failed : await play(scene)
      if (failed.length > 0) process.exitCode = EXIT.failed
      else if (once !== true && past !== true) await stay(scene)
    })
}

/** Plays the story; answers the claims that did not hold. The node is stopped in the end, and whatever happens. */
async function play(scene: Scene): Promise<readonly string[]> {
  const { stage } = scene
  const run = Date.now().toString(36)
  let node: RunningNode | undefined
  try {
    node = await admission(scene, async () => {
      node = await startNode(scene.admin, (signal) => process.kill(process.pid, signal))
      return node
    })
    if (keptPast(scene.dir) !== undefined) await catchingUp(scene)
    const shared = await sharing(scene, run)
    await receiving(scene, shared)
    await askingAsTheyDo(scene, hashIn(shared))
    await correcting(scene, shared)
    await guessing(scene)
    await askingPrivately(scene)
    await meeting(scene)
    await proving(scene, node)
  } finally {
    await node?.stop()
  }
  const { failed } = stage
  stage.show('')
  stage.show(failed.length === 0 ? 'Every step held.' : `${failed.length} steps did not hold: ${failed.join('; ')}`)
  return failed
}

/** Leaves the node running until it is stopped here. */
async function stay(scene: Scene): Promise<void> {
  const { stage, ports, dir } = scene
  const node = await startNode(scene.admin, () => {})
  stage.show('')
  stage.show('The node runs on; Ctrl-C stops it. To try next, in another terminal:')
  stage.show(`  npm run aldis -- --home ${join(dir, 'banana')} doctor`)
  stage.show(`  npm run aldis -- --home ${join(dir, 'banana')} sync`)
  stage.show(`  npm run aldis -- --home ${join(dir, 'banana')} conformance   (a simulated platform answers)`)
  stage.show(
    `  console      https://127.0.0.1:${ports.console}   (choose who to be; the browser warns of the demo's own authority)`,
  )
  stage.show(`  curl http://127.0.0.1:${ports.ops}/metrics`)
  stage.show(`  partner API  https://127.0.0.1:${ports.partner}   (mutual TLS; keys in ${join(dir, '<platform>')})`)
  stage.show(`  enrolment    https://127.0.0.1:${ports.enrol}`)
  await node.ended
}
