<?php
// $SSP/encryption holds our certificate in Base64; empty: assertions come in the clear.
$certificate = trim(file_get_contents(getenv('SSP') . '/encryption'));
$metadata['glance.net/sp/1'] = [
    'AssertionConsumerService' => getenv('SIDELIGHT_URL') . '/account/GetLoginKey.aspx?sso=1&idpid=12345',
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    'assertion.encryption' => $certificate !== '',
    'sharedkey_algorithm' => 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
] + ($certificate === '' ? [] : ['certData' => $certificate]);
