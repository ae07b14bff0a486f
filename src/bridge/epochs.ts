import type { RawLine, TokenEpoch } from '../client/derive.ts'
import { runningEpochs, tokenMaker } from '../client/token-makers.ts'
import type { TokenMaker } from '../client/tokens.ts'
import type { Clock } from '../kernel/clock.ts'
import { type EvaluationPurpose, OPRF_SUITE } from '../participants/schema.ts'
import type { Lack } from './answer.ts'
import type { Known } from './known.ts'
import { type NodeLink, refusalAtNode } from './node-link.ts'

/** What tokens of raw identifiers were made under, and why not under every epoch that they might stand under. */
export interface Tokened {
  epochs: TokenEpoch[]
  lack: Lack | undefined
}

export interface Epochs {
  /** With the keys that are here alone. */
  atHome(): Tokened
  /** Under every running epoch; the node evaluates what it has the key of, blinded. */
  withNode(lines: readonly RawLine[]): Promise<Tokened>
  /** What a submission's items are made under; throws where that cannot be had. */
  newest(lines: readonly RawLine[]): Promise<TokenEpoch>
}

export function createEpochs(link: NodeLink, { known, clock }: { known(): Known | undefined; clock: Clock }): Epochs {
  const { home } = link
  const running = () => runningEpochs(known()?.hash_profiles ?? [], clock())

  const maker = async <T>(kid: string, purpose: EvaluationPurpose, work: (maker: TokenMaker) => Promise<T>) => {
    const profile = running().find((one) => one.kid === kid)
    if (profile === undefined) throw new RangeError('the epoch does not run')
    return link.ask(async () => {
      const made = await tokenMaker({ client: link.client(), home }, profile, { purpose })
      return work(made).finally(() => made.close())
    })
  }

  return {
    atHome() {
      const epochs = home.keptHashKeys()
      const kept = new Set(epochs.map(({ kid }) => kid))
      const lacking = running().filter(({ kid }) => !kept.has(kid))
      return { epochs, lack: lacking.length === 0 ? undefined : LACKS_KEY }
    },
    async withNode(lines) {
      const kept = home.keptHashKeys()
      const epochs: TokenEpoch[] = [...kept]
      let lack: Lack | undefined
      for (const { kid, suite } of running()) {
        if (kept.some((one) => one.kid === kid)) continue
        try {
          epochs.push(await maker(kid, 'lookup', (made) => made.epochFor(suite === OPRF_SUITE ? lines : [])))
        } catch (error) {
          const { code, detail } = refusalAtNode(error)
          lack = { code, detail: `no token under the epoch ${kid}${detail === undefined ? '' : `: ${detail}`}` }
        }
      }
      return { epochs, lack }
    },
    async newest(lines) {
      const [newest] = running()
      const kept = home.keptHashKeys().find(({ kid }) => kid === newest?.kid)
      if (kept !== undefined) return kept
      // Without identifiers any epoch will do: none is used.
      if (newest === undefined || lines.length === 0) return { kid: newest?.kid ?? '', tokens: new Map() }
      return maker(newest.kid, 'submit', (made) => made.epochFor(lines))
    },
  }
}

const LACKS_KEY: Lack = {
  code: 'node-needed',
  detail: 'tokens of an epoch that runs are made with the node: /v1/lookup asks it, or the query gives the token',
}
