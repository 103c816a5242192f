/// Moves `count` numbers towards others by a share of their distance: t = t + share (s - t).
public func approach(
  _ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>, share: Float, count: Int,
  pool: ThreadPool
) {
  flat(count, pool, Approach(target: target, source: source, share: share))
}

private struct Approach: ChannelGroup {
  let target: UnsafeMutablePointer<Float>
  let source: UnsafePointer<Float>
  let share: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let old = L.load(target + i)
    L.fma(L.load(source + i) - old, L(splat: share), old).store(target + i)
  }
}

/// Moves slow weights towards the fast ones by a share of their distance, and the fast ones to them.
public func lookaheadUpdate(
  fast: UnsafeMutablePointer<Float>, slow: UnsafeMutablePointer<Float>, share: Float, count: Int,
  pool: ThreadPool
) {
  flat(count, pool, SlowStep(fast: fast, slow: slow, share: share))
}

private struct SlowStep: ChannelGroup {
  let fast: UnsafeMutablePointer<Float>
  let slow: UnsafeMutablePointer<Float>
  let share: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let old = L.load(slow + i)
    let new = L.fma(L.load(fast + i) - old, L(splat: share), old)
    new.store(slow + i)
    new.store(fast + i)
  }
}

/// t = a t + b s for `count` numbers; where a is 0 the old numbers are not looked at.
public func combine(
  _ target: UnsafeMutablePointer<Float>, times a: Float, _ source: UnsafePointer<Float>,
  times b: Float, count: Int, pool: ThreadPool
) {
  flat(count, pool, Combination(target: target, a: a, source: source, b: b))
}

private struct Combination: ChannelGroup {
  let target: UnsafeMutablePointer<Float>
  let a: Float
  let source: UnsafePointer<Float>
  let b: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let old = a == 0 ? L(splat: 0) : L.load(target + i) * L(splat: a)
    L.fma(L.load(source + i), L(splat: b), old).store(target + i)
  }
}

/// Exchanges the contents of two buffers.
public func exchange(
  _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>, count: Int,
  pool: ThreadPool
) {
  flat(count, pool, Exchange(first: first, second: second))
}

private struct Exchange: ChannelGroup {
  let first: UnsafeMutablePointer<Float>
  let second: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let kept = L.load(first + i)
    L.load(second + i).store(first + i)
    kept.store(second + i)
  }
}

/// Multiplies `count` numbers by one.
public func scale(
  _ target: UnsafeMutablePointer<Float>, by factor: Float, count: Int, pool: ThreadPool
) {
  flat(count, pool, Scaling(target: target, factor: factor))
}

private struct Scaling: ChannelGroup {
  let target: UnsafeMutablePointer<Float>
  let factor: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    (L.load(target + i) * L(splat: factor)).store(target + i)
  }
}

/// Limits `count` numbers to -limit ... limit.
public func limit(
  _ target: UnsafeMutablePointer<Float>, to limit: Float, count: Int, pool: ThreadPool
) {
  flat(count, pool, Limiting(target: target, limit: limit))
}

private struct Limiting: ChannelGroup {
  let target: UnsafeMutablePointer<Float>
  let limit: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    L.load(target + i).limited(-limit, limit).store(target + i)
  }
}
