/// What the images of a batch show: each is a share of one class and the rest of another.
///
/// Without mixing every share is 1 and the second class says nothing. Mixup and CutMix (Zhang et al.,
/// "mixup: Beyond Empirical Risk Minimization", ICLR 2018; Yun et al., "CutMix", ICCV 2019) put two
/// classes in one image; no recipe needs more than two.
public final class BatchTargets {
  /// Room for so many images.
  public let capacity: Int
  /// The first class of each image: `[capacity]`.
  public let labels: UnsafeMutablePointer<Int32>
  /// The second class of each image: `[capacity]`.
  public let partners: UnsafeMutablePointer<Int32>
  /// How much of each image is its first class, from 0 to 1: `[capacity]`.
  public let shares: UnsafeMutablePointer<Float>

  /// Unmixed images of class 0.
  public init(capacity: Int) {
    self.capacity = capacity
    labels = .allocate(capacity: capacity)
    labels.initialize(repeating: 0, count: capacity)
    partners = .allocate(capacity: capacity)
    partners.initialize(repeating: 0, count: capacity)
    shares = .allocate(capacity: capacity)
    shares.initialize(repeating: 1, count: capacity)
  }

  /// Takes over the labels of unmixed images, the whole row of them several times.
  func setLabels(_ source: UnsafePointer<Int32>, count: Int, times: Int) {
    precondition(times * count <= capacity)
    for time in 0..<times {
      (labels + time * count).update(from: source, count: count)
      (partners + time * count).update(from: source, count: count)
    }
    shares.update(repeating: 1, count: times * count)
  }

  deinit {
    labels.deallocate()
    partners.deallocate()
    shares.deallocate()
  }
}
