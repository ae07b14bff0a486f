import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { METRICS, type Metric } from './metric.ts'
import type { Cell, Figure, Report, Rows } from './schema.ts'

const WIDTH = 320
const BAR = 10

/** One file that shows, prints and explains itself: no script, nothing that it fetches. */
export const pageOf = (report: Report, digest: string): string =>
  `<!doctype html>${renderToString(<Page {...{ report, digest }} />)}\n`

const Page = ({ report, digest }: { report: Report; digest: string }): VNode => {
  const { period, k, figures, checkpoint } = report
  const platforms = figures.find(({ id }) => id === 'participants.active')?.value ?? 0
  const [origin = '', size = '', root = ''] = checkpoint.split('\n')
  const title = `Transparency report, ${period.from.slice(0, 10)} to ${period.to.slice(0, 10)}`
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>{title}</title>
        <style>{STYLE}</style>
      </head>
      <body>
        <header>
          <h1>{title}</h1>
          <p>
            Computed from the log <b>{origin}</b> at {Number(size).toLocaleString('en')} entries. Counts from 1 to{' '}
            {k - 1} are withheld, and cells that would tell them. {platforms} platforms took part.
          </p>
        </header>
        <main>
          <Figures figures={figures} />
        </main>
        <footer>
          <h2>How to check this report</h2>
          <p>
            Whoever has the log's records recomputes every figure:{' '}
            <code>aldis report verify REPORT.json --log EXPORT</code>. The figures hold for the checkpoint with root{' '}
            <code>{root}</code>; the report's digest is <code>{digest}</code> (SHA-256 of its RFC 8785 form).
          </p>
        </footer>
      </body>
    </html>
  )
}

/** Every figure with what it is, what it is made of, and a chart beside its table. */
export const Figures = ({ figures }: Pick<Report, 'figures'>): VNode => {
  const platforms = figures.find(({ id }) => id === 'participants.active')?.value ?? 0
  return (
    <>
      {METRICS.map((metric) => {
        const figure = figures.find(({ id }) => id === metric.id)
        return figure === undefined ? null : <Section key={metric.id} {...{ metric, figure, platforms }} />
      })}
    </>
  )
}

const Section = ({ metric, figure, platforms }: { metric: Metric; figure: Figure; platforms: number }): VNode => (
  <section aria-labelledby={`m-${metric.id}`}>
    <h2 id={`m-${metric.id}`}>{metric.title}</h2>
    <p class="figure">
      <b>{shown(figure.value)}</b> {metric.unit === 'minutes' ? 'minutes, median' : metric.unit}
      {figure.n !== undefined && <span> of {shown(figure.n)}</span>}
      {figure.reporting !== undefined && (
        <span>
          ; {shown(figure.reporting)} of {platforms} reporting
        </span>
      )}
    </p>
    <p>{metric.definition}</p>
    {Object.entries(figure.by ?? {}).map(
      ([dimension, rows]) => rows.length > 0 && <Chart key={dimension} {...{ dimension, rows, name: metric.title }} />,
    )}
    <p class="query">
      Made of: <code>{metric.query}</code>
    </p>
  </section>
)

const shown = (cell: Cell): string => (cell === null ? 'withheld' : cell.toLocaleString('en'))

/** Bars beside the figures that they draw: the table says everything. */
const Chart = ({ dimension, rows, name }: { dimension: string; rows: Rows; name: string }): VNode => {
  const most = Math.max(1, ...rows.map(({ value }) => value ?? 0))
  const reporting = rows.some((row) => row.reporting !== undefined)
  return (
    <table class="chart">
      <caption>
        {name} by {dimension}
      </caption>
      <thead>
        <tr>
          <th scope="col">{dimension}</th>
          <th scope="col">number</th>
          {reporting && <th scope="col">reporting</th>}
          <th scope="col">beside the most</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, value, reporting: by }) => (
          <tr key={key}>
            <th scope="row">{key.replaceAll('_', ' ')}</th>
            <td>{shown(value)}</td>
            {reporting && <td>{by === undefined ? '' : shown(by)}</td>}
            <td>
              <svg role="img" width={WIDTH} height={BAR} viewBox={`0 0 ${WIDTH} ${BAR}`}>
                <title>{`${key}: ${shown(value)}`}</title>
                <rect width={Math.round(((value ?? 0) / most) * WIDTH)} height={BAR} class="bar" />
              </svg>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; color: light-dark(#16202c, #e4e9ef); background: light-dark(#fff, #0f151c) }
body { max-width: 56rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin: 0 }
section, footer { border-top: 1px solid light-dark(#c9d0d9, #33404e); padding: 1.25rem 0; break-inside: avoid }
.figure b { font-size: 1.5rem; font-variant-numeric: tabular-nums }
.query, caption { color: light-dark(#4d5a69, #a3b0bf); font-size: .85rem; text-align: left }
table { border-collapse: collapse; margin: .75rem 0 } caption { padding-bottom: .25rem }
th, td { padding: .15rem .75rem .15rem 0; text-align: left; font-weight: normal } td { text-align: right; font-variant-numeric: tabular-nums }
.bar { fill: light-dark(#2f78b8, #5c9bd1) } code { overflow-wrap: anywhere }
@media (max-width: 40rem) { svg { width: 6rem } }
@media print { body { max-width: none; padding: 0 } }
`
