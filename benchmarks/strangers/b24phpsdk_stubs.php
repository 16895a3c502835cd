<?php

// What the suite needs and Debian has no package of: as much of each library as the tests touch.

namespace libphonenumber {
    class NumberParseException extends \Exception
    {
    }

    class PhoneNumber
    {
        public function __construct(public string $text = '')
        {
        }

        public function __toString(): string
        {
            return $this->text;
        }

        public function getRawInput(): string
        {
            return $this->text;
        }

        public function getNationalNumber(): string
        {
            return substr((string) preg_replace('/\D/', '', $this->text), -10);
        }
    }

    class PhoneNumberFormat
    {
        public const E164 = 0;
    }

    class PhoneNumberUtil
    {
        public static function getInstance(): self
        {
            return new self();
        }

        public function parse(string $text, ?string $region = null): PhoneNumber
        {
            return new PhoneNumber($text);
        }

        public function isValidNumber(PhoneNumber $number): bool
        {
            return $number->text !== '';
        }

        public function format(PhoneNumber $number, int $format): string
        {
            return $number->text;
        }
    }
}

namespace MoneyPHP\Percentage {
    class Percentage
    {
        public function __construct(private string $percents)
        {
        }

        public function __toString(): string
        {
            return $this->percents;
        }

        public static function zero(): self
        {
            return new self('0');
        }

        public function equals(self $other): bool
        {
            return (float) $this->percents === (float) $other->percents;
        }
    }
}

namespace Darsyn\IP\Version {
    class Multi
    {
        public function __construct(private string $text)
        {
        }

        public static function factory(string $text): self
        {
            return new self($text);
        }

        public function getProtocolAppropriateAddress(): string
        {
            return $this->text;
        }
    }
}

namespace Typhoon\Type {
    function stringify(string $type): string
    {
        return $type;
    }
}

namespace Typhoon\Reflection {
    class PropertyId
    {
        public function __construct(public string $name)
        {
        }
    }

    class Property
    {
        public PropertyId $id;

        public function __construct(string $name, private string $type)
        {
            $this->id = new PropertyId($name);
        }

        public function isAnnotated(): bool
        {
            return true;
        }

        public function isNative(): bool
        {
            return false;
        }

        public function type(): string
        {
            return $this->type;
        }
    }

    class Reflected
    {
        public function __construct(private \ReflectionClass $class)
        {
        }

        /** @return list<Property> the properties that comments of the class and its parents name */
        public function properties(): array
        {
            $found = [];
            for ($class = $this->class; $class; $class = $class->getParentClass()) {
                $imports = self::imports($class);
                $pattern = '~@property(?:-read|-write)?\s+(\S+)\s+\$(\w+)~';
                preg_match_all($pattern, (string) $class->getDocComment(), $lines, PREG_SET_ORDER);
                foreach ($lines as [, $type, $name]) {
                    $found[$name] ??= new Property($name, self::full($type, $imports));
                }
            }

            return array_values($found);
        }

        private static function imports(\ReflectionClass $class): array
        {
            $text = $class->getFileName() ? file_get_contents($class->getFileName()) : '';
            preg_match_all('~^use\s+([\w\\\\]+)(?:\s+as\s+(\w+))?;~m', $text, $lines, PREG_SET_ORDER);
            $imports = [];
            foreach ($lines as $line) {
                $parts = explode('\\', $line[1]);
                $imports[$line[2] ?? end($parts)] = $line[1];
            }

            return $imports;
        }

        private static function full(string $type, array $imports): string
        {
            return preg_replace_callback('~\w+~', static fn ($m) => $imports[$m[0]] ?? $m[0], $type);
        }
    }

    class TyphoonReflector
    {
        public static function build(): self
        {
            return new self();
        }

        public function reflectClass(string $name): Reflected
        {
            return new Reflected(new \ReflectionClass($name));
        }
    }
}

namespace Symfony\Component\Stopwatch {
    class Stopwatch
    {
        public function __call(string $name, array $arguments): mixed
        {
            return $this;
        }

        public function __toString(): string
        {
            return '';
        }
    }
}

namespace Faker {
    class Generator
    {
        public function __call(string $name, array $arguments): string
        {
            return $this->__get($name);
        }

        public function __get(string $name): string
        {
            $number = random_int(1_000_000, 9_999_999);

            return match ($name) {
                'e164PhoneNumber', 'phoneNumber' => "+7916$number",
                'email' => "user$number@example.com",
                'ipv4' => '192.0.2.1',
                'url' => "https://example.com/$number",
                'uuid' => sprintf('%08x-0000-4000-8000-%012x', $number, random_int(0, PHP_INT_MAX >> 16)),
                default => ucfirst($name) . $number,
            };
        }
    }

    class Factory
    {
        public static function create(string $locale = 'en_US'): Generator
        {
            return new Generator();
        }
    }
}
