/** What the node signs of each answer that gives out a part of a sealed feed; `digest`: SHA-256 of its text, base64url. */
export const deltaText = (delta: {
  feed: string
  from: bigint | string
  to: bigint | string
  digest: string
}): string => `aldis-sealed-delta/1\n${delta.feed}\n${delta.from}\n${delta.to}\n${delta.digest}\n`
