/// Which elements of O*NET make up each of the 15 abilities, and with what weight (docs/onet.md says why).
package enum OnetAbilityMap {
    /// An element of O*NET's content model within an ability.
    package struct Part: Sendable {
        package let element: String
        package let name: String
        package let weight: Double
    }

    /// How many technologies an occupation uses, as a share of the logarithm of 200.
    static let technologies = "technologies"
    /// How many of them employers often ask for, as a share of the logarithm of 100.
    static let hotTechnologies = "hot_technologies"

    /// The elements of an ability; an ability is their weighted mean.
    package static func parts(of ability: Ability) -> [Part] {
        switch ability {
        case .analyticalReasoning:
            [
                Part(element: "1.A.1.b.4", name: "Deductive Reasoning", weight: 3),
                Part(element: "1.A.1.b.5", name: "Inductive Reasoning", weight: 3),
                Part(element: "2.A.2.a", name: "Critical Thinking", weight: 2),
                Part(element: "2.B.4.g", name: "Systems Analysis", weight: 1),
                Part(element: "2.A.1.f", name: "Science", weight: 1),
                Part(element: "1.C.7.b", name: "Analytical Thinking", weight: 1),
                Part(element: "1.B.1.b", name: "Investigative", weight: 2),
            ]
        case .creativity:
            [
                Part(element: "1.A.1.b.1", name: "Fluency of Ideas", weight: 2),
                Part(element: "1.A.1.b.2", name: "Originality", weight: 3),
                Part(element: "1.C.7.a", name: "Innovation", weight: 2),
                Part(element: "1.B.1.c", name: "Artistic", weight: 4),
                Part(element: "1.A.1.f.2", name: "Visualization", weight: 1),
            ]
        case .verbalCommunication:
            [
                Part(element: "1.A.1.a.3", name: "Oral Expression", weight: 2),
                Part(element: "2.A.1.d", name: "Speaking", weight: 2),
                Part(element: "1.A.4.b.5", name: "Speech Clarity", weight: 2),
                Part(element: "1.A.1.a.4", name: "Written Expression", weight: 1),
                Part(element: "2.A.1.c", name: "Writing", weight: 1),
                Part(element: "2.B.1.c", name: "Persuasion", weight: 1),
            ]
        case .technicalAptitude:
            [
                Part(element: "2.B.3.k", name: "Troubleshooting", weight: 2),
                Part(element: "2.B.3.c", name: "Equipment Selection", weight: 2),
                Part(element: "2.B.3.b", name: "Technology Design", weight: 2),
                Part(element: "2.B.3.h", name: "Operation and Control", weight: 1),
                Part(element: "2.B.3.m", name: "Quality Control Analysis", weight: 1),
                Part(element: "1.A.1.f.2", name: "Visualization", weight: 1),
                Part(element: "2.B.3.j", name: "Equipment Maintenance", weight: 1),
                Part(element: "1.B.1.a", name: "Realistic", weight: 2),
            ]
        case .numericalReasoning:
            [
                Part(element: "1.A.1.c.1", name: "Mathematical Reasoning", weight: 3),
                Part(element: "1.A.1.c.2", name: "Number Facility", weight: 2),
                Part(element: "2.A.1.e", name: "Mathematics", weight: 3),
            ]
        case .leadership:
            [
                Part(element: "2.B.5.d", name: "Management of Personnel Resources", weight: 3),
                Part(element: "1.C.2.b", name: "Leadership", weight: 3),
                Part(element: "2.B.4.e", name: "Judgment and Decision Making", weight: 1),
                Part(element: "2.B.1.d", name: "Negotiation", weight: 1),
                Part(element: "2.B.1.c", name: "Persuasion", weight: 1),
                Part(element: "1.B.1.e", name: "Enterprising", weight: 1),
            ]
        case .problemSolving:
            [
                Part(element: "2.B.2.i", name: "Complex Problem Solving", weight: 3),
                Part(element: "1.A.1.b.3", name: "Problem Sensitivity", weight: 2),
                Part(element: "2.B.4.e", name: "Judgment and Decision Making", weight: 1),
                Part(element: "2.B.4.h", name: "Systems Evaluation", weight: 1),
                Part(element: "2.B.3.k", name: "Troubleshooting", weight: 1),
                Part(element: "1.A.1.b.6", name: "Information Ordering", weight: 1),
            ]
        case .empathy:
            [
                Part(element: "2.B.1.a", name: "Social Perceptiveness", weight: 2),
                Part(element: "2.B.1.f", name: "Service Orientation", weight: 2),
                Part(element: "1.C.3.b", name: "Concern for Others", weight: 3),
                Part(element: "1.C.3.c", name: "Social Orientation", weight: 1),
                Part(element: "1.B.1.d", name: "Social", weight: 3),
                Part(element: "2.A.1.b", name: "Active Listening", weight: 1),
            ]
        case .attentionToDetail:
            [
                Part(element: "1.C.5.b", name: "Attention to Detail", weight: 3),
                Part(element: "1.A.1.e.3", name: "Perceptual Speed", weight: 1),
                Part(element: "1.A.1.e.2", name: "Flexibility of Closure", weight: 1),
                Part(element: "1.A.1.g.1", name: "Selective Attention", weight: 1),
                Part(element: "1.A.4.a.1", name: "Near Vision", weight: 2),
                Part(element: "2.B.3.m", name: "Quality Control Analysis", weight: 1),
                Part(element: "1.B.1.f", name: "Conventional", weight: 1),
            ]
        case .physicalAbility:
            [
                Part(element: "1.A.3.a.1", name: "Static Strength", weight: 2),
                Part(element: "1.A.3.a.3", name: "Dynamic Strength", weight: 1),
                Part(element: "1.A.3.a.4", name: "Trunk Strength", weight: 2),
                Part(element: "1.A.3.b.1", name: "Stamina", weight: 2),
                Part(element: "1.A.3.c.1", name: "Extent Flexibility", weight: 1),
                Part(element: "1.A.3.c.3", name: "Gross Body Coordination", weight: 1),
                Part(element: "1.A.3.c.4", name: "Gross Body Equilibrium", weight: 1),
            ]
        case .digitalLiteracy:
            [
                Part(element: "2.B.3.e", name: "Programming", weight: 3),
                Part(element: "2.B.3.b", name: "Technology Design", weight: 1),
                Part(element: "technologies", name: "Technologies", weight: 2),
                Part(element: "hot_technologies", name: "Hot technologies", weight: 3),
                Part(element: "2.B.4.g", name: "Systems Analysis", weight: 1),
            ]
        case .teamwork:
            [
                Part(element: "2.B.1.b", name: "Coordination", weight: 3),
                Part(element: "1.C.3.a", name: "Cooperation", weight: 2),
                Part(element: "1.C.3.c", name: "Social Orientation", weight: 1),
                Part(element: "2.B.1.e", name: "Instructing", weight: 1),
            ]
        case .organisation:
            [
                Part(element: "2.B.5.a", name: "Time Management", weight: 3),
                Part(element: "2.B.5.c", name: "Management of Material Resources", weight: 1),
                Part(element: "2.B.1.b", name: "Coordination", weight: 1),
                Part(element: "1.A.1.b.6", name: "Information Ordering", weight: 1),
                Part(element: "1.B.1.f", name: "Conventional", weight: 3),
                Part(element: "2.A.2.d", name: "Monitoring", weight: 1),
            ]
        case .entrepreneurship:
            [
                Part(element: "1.B.1.e", name: "Enterprising", weight: 4),
                Part(element: "1.C.7.a", name: "Innovation", weight: 2),
                Part(element: "1.C.6", name: "Independence", weight: 2),
                Part(element: "1.B.1.c", name: "Artistic", weight: 1),
                Part(element: "2.B.1.c", name: "Persuasion", weight: 1),
                Part(element: "1.C.1.c", name: "Initiative", weight: 1),
                Part(element: "2.B.5.b", name: "Management of Financial Resources", weight: 1),
            ]
        case .adaptability:
            [
                Part(element: "1.C.4.c", name: "Adaptability/Flexibility", weight: 3),
                Part(element: "1.C.4.b", name: "Stress Tolerance", weight: 2),
                Part(element: "2.B.1.b", name: "Coordination", weight: 1),
                Part(element: "1.A.1.g.2", name: "Time Sharing", weight: 1),
                Part(element: "2.A.2.b", name: "Active Learning", weight: 1),
            ]
        }
    }
}
