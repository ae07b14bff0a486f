import type { Background, StartBackground } from '../../../background.ts'
import { createLogLoops } from '../../../loops.ts'

/** The loops of a log under a driven clock: turned by hand, since no time passes by itself. */
export interface TurnedLoops {
  readonly start: StartBackground
  /** Until everything that is due by now, and all that follows from it, is in the feeds and under a checkpoint. */
  settle(): Promise<void>
  /** From now on by themselves, as those of any node. */
  run(): void
}

export function turnLoops(): TurnedLoops {
  let loops: ReturnType<typeof createLogLoops> | undefined
  let isLive = false
  const running = () => {
    if (loops === undefined) throw new Error('the node was not made yet')
    return loops
  }
  return {
    start(core, events, log): Background {
      const made = createLogLoops(core, events, log)
      loops = made
      const all = Object.values(made)
      return {
        start: async () => {},
        // Whoever drives the clock settles what was committed.
        wake: () => {},
        // Turned by hand they are never late, however slow the machine is.
        age: () => (isLive ? Math.max(made.integrate.age(), made.sign.age(), made.publish.age()) : 0),
        projectAge: () => (isLive ? made.project.age() : 0),
        stop: async () => void (await Promise.all(all.map((loop) => loop.stop()))),
      }
    },
    async settle() {
      const { expire, release, flush, evaluations, integrate, project, follow, sign, publish, seal } = running()
      await untilNone([expire, release, flush, evaluations])
      // What follows may be an entry too, and is carried on like any other.
      while (await untilNone([integrate, project, follow]));
      await sign.turn()
      await publish.turn()
      await seal.turn()
    },
    run() {
      isLive = true
      for (const loop of Object.values(running())) loop.start()
    },
  }
}

/** Each loop until it finds nothing; whether any found something. */
async function untilNone(loops: readonly { turn(): Promise<boolean> }[]): Promise<boolean> {
  let found = false
  for (const loop of loops) while (await loop.turn()) found = true
  return found
}
