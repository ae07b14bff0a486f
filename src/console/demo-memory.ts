interface Payload {
  grantId?: string
  uid?: string
  consumed?: number
}

interface Kept {
  payload: Payload
  until: number
}

/** More than a demonstration ever has; the oldest go first. */
const KEPT_MAX = 10_000

/** What the demonstration's provider remembers: in this process, until it ends. The library asks for one store per kind. */
export function createDemoMemory(now: () => number) {
  const kept = new Map<string, Kept>()
  const find = (key: string): Payload | undefined => {
    const found = kept.get(key)
    if (found === undefined || found.until > now()) return found?.payload
    kept.delete(key)
    return undefined
  }
  return (kind: string) => {
    const keyOf = (id: string): string => `${kind}:${id}`
    return {
      async upsert(id: string, payload: Payload, seconds: number): Promise<void> {
        const oldest = kept.size >= KEPT_MAX ? kept.keys().next().value : undefined
        if (oldest !== undefined) kept.delete(oldest)
        kept.set(keyOf(id), { payload, until: now() + seconds * 1_000 })
      },
      find: async (id: string): Promise<Payload | undefined> => find(keyOf(id)),
      async findByUid(uid: string): Promise<Payload | undefined> {
        const key = [...kept].find(([name, { payload }]) => name.startsWith(`${kind}:`) && payload.uid === uid)?.[0]
        return key === undefined ? undefined : find(key)
      },
      // Of devices without a browser, which the demonstration has none of.
      findByUserCode: async (): Promise<undefined> => undefined,
      async consume(id: string): Promise<void> {
        const payload = find(keyOf(id))
        if (payload !== undefined) payload.consumed = Math.floor(now() / 1_000)
      },
      async destroy(id: string): Promise<void> {
        kept.delete(keyOf(id))
      },
      async revokeByGrantId(grantId: string): Promise<void> {
        for (const [key, { payload }] of kept) if (payload.grantId === grantId) kept.delete(key)
      },
    }
  }
}
