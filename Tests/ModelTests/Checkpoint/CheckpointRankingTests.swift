import Foundation
import Testing

@testable import Model

/// Which checkpoints stay for their scores.
struct CheckpointRankingTests {
  /// What timm's CheckpointSaver keeps; written by Tests/Tools/make_saver_fixture.py.
  private struct Case: Decodable {
    let scores: [Score]
    let lowerIsBetter: Bool
    let count: Int
    let kept: [[Int]]
    let best: [Int?]
  }

  private struct Score: Decodable {
    let value: Double?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        value = nil
      } else if let number = try? container.decode(Double.self) {
        value = number
      } else {
        #expect(try container.decode(String.self) == "nan")
        value = .nan
      }
    }
  }

  @Test func theChoiceIsTimms() throws {
    let file = fixtureFolder("training").appending(path: "saver.json")
    let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
    #expect(cases.count > 100)
    for (number, test) in cases.enumerated() {
      let metric: EvaluationMetric = test.lowerIsBetter ? .loss : .top1
      var present: [Int] = []
      var best: (epoch: Int, value: Double)?
      for epoch in 1...test.scores.count {
        let scores = test.scores.prefix(epoch).map(\.value)
        let ranking = CheckpointRanking(scores: scores, isLowerBetter: test.lowerIsBetter)
        present = ranking.best(test.count, of: present + [epoch])
        #expect(present == test.kept[epoch - 1], "case \(number), epoch \(epoch)")
        if let score = scores[epoch - 1], metric.isBetter(score, than: best?.value ?? .nan) {
          best = (epoch, score)
        }
        #expect(best?.epoch == test.best[epoch - 1], "case \(number), epoch \(epoch)")
      }
    }
  }

  @Test func theBestStayBesidesTheLatest() throws {
    let folder = try TemporaryFolder()
    var tiny = TinyTraining()
    tiny.settings["epochs"] = .integer(7)
    tiny.settings["keep"] = .integer(1)
    tiny.settings["keep-best"] = .integer(3)
    let trainer = try tiny.trainer(in: folder)
    _ = try Listener().run(trainer)
    let scores = trainer.state.scores
    let ranked = CheckpointRanking(scores: scores, isLowerBetter: false).best(3, of: Array(1...7))
    #expect(folder.checkpoints.epochs == Set(ranked + [7]).sorted(by: >))
    #expect(ranked.first == trainer.state.best?.epoch)

    let removed = try folder.checkpoints.prune(keep: 1, best: 1)
    #expect(Set(removed) == Set(ranked.dropFirst()).subtracting([7]))
    #expect(try folder.checkpoints.prune(keep: 1) == (ranked[0] == 7 ? [] : [ranked[0]]))
    #expect(folder.checkpoints.epochs == [7])
    #expect(try folder.checkpoints.load(.best).state.completedEpochs == ranked[0])
  }
}
