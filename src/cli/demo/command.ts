import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { EXIT } from '../exit.ts'
import { askingPrivately, guessing } from './private.ts'
import { type RunningNode, startNode } from './run.ts'
import { openScene, type Scene } from './scene.ts'
import { admission, correcting, proving, receiving, sharing } from './story.ts'

export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description('a node and three platforms on this machine: one exchange from submission to verified receipt')
    .option('--once', 'end the node at the end; exit 0 only if every step held')
    .option('--dir <dir>', 'where keys and data are kept between runs', 'data/demo')
    .action(async ({ once, dir }: { once?: boolean; dir: string }) => {
      const scene = await openScene(resolve(dir))
      const failed = await play(scene)
      if (failed.length > 0) process.exitCode = EXIT.failed
      else if (once !== true) await stay(scene)
    })
}

/** Plays the story; answers the claims that did not hold. The node is stopped in the end, and whatever happens. */
async function play(scene: Scene): Promise<readonly string[]> {
  const { stage } = scene
  const run = Date.now().toString(36)
  let node: RunningNode | undefined
  try {
    node = await admission(scene, async () => {
      node = await startNode(scene.admin)
      return node
    })
    const shared = await sharing(scene, run)
    await receiving(scene, shared)
    await correcting(scene, shared)
    await guessing(scene)
    await askingPrivately(scene)
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
  const node = await startNode(scene.admin)
  const stop = (): void => void node.stop()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  stage.show('')
  stage.show('The node runs on; Ctrl-C stops it. To try next, in another terminal:')
  stage.show(`  npm run aldis -- --home ${join(dir, 'banana')} doctor`)
  stage.show(`  npm run aldis -- --home ${join(dir, 'banana')} sync`)
  stage.show(`  curl http://127.0.0.1:${ports.ops}/metrics`)
  stage.show(`  partner API  https://127.0.0.1:${ports.partner}   (mutual TLS; keys in ${join(dir, '<platform>')})`)
  stage.show(`  enrolment    https://127.0.0.1:${ports.enrol}`)
  await node.ended
}
