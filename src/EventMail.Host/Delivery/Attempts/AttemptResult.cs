using EventMail.Domain.Deliveries;
using EventMail.Host.Delivery.Lanes;

namespace EventMail.Host.Delivery.Attempts;

/// <param name="Report">For the log of events.</param>
/// <param name="Lane">What it says of the next hop.</param>
internal sealed record AttemptResult(AttemptReport Report, LaneOutcome Lane);
