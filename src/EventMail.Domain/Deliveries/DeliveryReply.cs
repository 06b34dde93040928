using System.Globalization;

namespace EventMail.Domain.Deliveries;

/// <summary>An answer, or a fault that takes its place, as people read it.</summary>
public static class DeliveryReply
{
    /// <summary>`451 4.3.0 try later`; without the code when nobody answered.</summary>
    public static string Line(int code, string enhanced, string text) => string.Join(
        ' ', new[] { code > 0 ? code.ToString(CultureInfo.InvariantCulture) : "", enhanced, text }.Where(part => part.Length > 0));
}
