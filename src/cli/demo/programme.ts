/** The programme of the demo; its story and its past are of one. */
export const PROGRAMME = {
  slug: 'orchard',
  trust_domain: 'exchange.example',
  node_origin: 'https://node.exchange.example',
  admins: ['ada@exchange', 'bea@exchange'],
  governance: 'gil@council',
} as const
