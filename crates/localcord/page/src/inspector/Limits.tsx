import { now, seconds } from "../text/clock";
import { type Bucket, buckets } from "./journal";

function state(bucket: Bucket, at: number): string {
  const left = (bucket.resets_at - at) / 1000;
  return left > 0 ? `resets in ${left.toFixed(1)} s` : "full again";
}

export function Limits() {
  void seconds.value;
  const at = now();
  if (buckets.value.length === 0) {
    return <p class="nothing">No call was counted yet; rate limits may be off (--rate-limits).</p>;
  }
  return (
    <div class="limits">
      <table>
        <caption>Rate limits, as the last call of each bucket found them</caption>
        <thead>
          <tr>
            <th scope="col">Bucket</th>
            <th scope="col">Left</th>
            <th scope="col">Calls</th>
            <th scope="col">429</th>
          </tr>
        </thead>
        <tbody>
          {buckets.value.map((bucket) => {
            const left = bucket.resets_at > at ? bucket.remaining : bucket.limit;
            return (
              <tr key={bucket.route} class={bucket.refusals > 0 ? "refused" : ""}>
                <th scope="row">
                  {bucket.route}
                  <small>{state(bucket, at)}</small>
                </th>
                <td>
                  <meter
                    min={0}
                    max={bucket.limit}
                    low={bucket.limit / 3}
                    value={left}
                    aria-label={`Left of ${bucket.limit}`}
                  />
                  <small>
                    {left} / {bucket.limit}
                  </small>
                </td>
                <td>{bucket.calls}</td>
                <td>{bucket.refusals}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
