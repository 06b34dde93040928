using System.Globalization;

namespace EventMail.Host.Configuration;

/// <summary>A listener's port: a number, 0 for any free one, or off.</summary>
public readonly record struct Port
{
    private readonly ushort _number;

    private Port(ushort number, bool isOn) => (_number, IsOn) = (number, isOn);

    public static Port Off => default;

    public bool IsOn { get; }

    public int Number => IsOn ? _number : throw new InvalidOperationException("The port is off.");

    public static implicit operator Port(ushort number) => new(number, isOn: true);

    public static bool TryParse(string text, out Port port)
    {
        var isOff = text.Trim().Equals("off", StringComparison.OrdinalIgnoreCase);
        ushort number = 0;
        var valid = isOff || ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
        port = isOff || !valid ? Off : new(number, isOn: true);
        return valid;
    }

    public override string ToString() => IsOn ? _number.ToString(CultureInfo.InvariantCulture) : "off";
}
